import GRDB
import Relay

/// A dead letter's row, as far as replaying needs it.
struct StoredLetter {
    let id: String
    let app: String
    let profile: ProfileReference
    let origin: String
    let identifier: Identifier
    let value: IntegrationIdentifiers.Value
    let at: Timestamp

    /// Nil where there is none, or one of a field that only a newer Patchbay knows.
    static func find(_ id: String, in db: Database) throws -> StoredLetter? {
        let statement = try db.cachedStatement(
            sql: "SELECT app, reference, value, origin, field, field_value, at FROM dead_letter WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id]).flatMap { row in
            guard let identifier = Identifier(name: row[4]) else { return nil }
            let text: String? = row[5]
            return StoredLetter(
                id: id, app: row[0], profile: try ProfileReference(key: row[1], value: row[2]), origin: row[3],
                identifier: identifier, value: text.map { .text($0) } ?? .null, at: Timestamp(milliseconds: row[6]))
        }
    }

    static func remove(_ id: String, from db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM dead_letter WHERE id = ?").execute(arguments: [id])
    }
}

extension DeadLetter {
    /// Some of the dead letters in the order of their ids, which is about that in which they died.
    struct IDs: Sendable {
        let matching: [String]
        /// The last that was looked at, matching or not; nil where there are no more.
        let last: String?
    }

    static func ids(
        _ filter: DeskFilter, after id: String, diedBy begun: Timestamp, at now: Timestamp, limit: Int, in db: Database
    ) throws -> IDs {
        let rows = try Row.fetchAll(
            db, sql: "SELECT \(columns) FROM dead_letter WHERE id > ? AND died_at <= ? ORDER BY id LIMIT ?",
            arguments: [id, begun.milliseconds, limit])
        return IDs(
            matching: try rows.filter { filter.accepts(try item($0, at: now)) }.map { $0[0] }, last: rows.last?[0])
    }

    static func survey(_ filter: DeskFilter, limit: Int, at now: Timestamp, in db: Database) throws -> DeskSurvey {
        var survey = DeskSurvey()
        let rows = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM dead_letter ORDER BY died_at")
        while let row = try rows.next() {
            let item = try item(row, at: now)
            guard filter.accepts(item) else { continue }
            survey.counts[.init(app: item.app, state: .dead, error: item.failure?.code ?? ""), default: 0] += 1
            if survey.items.count < limit { survey.items.append(item) }
        }
        return survey
    }

    static func find(
        _ profile: ProfileReference, of app: String, at now: Timestamp, in db: Database
    ) throws -> [(item: DeskItem, identifiers: IntegrationIdentifiers)] {
        try Row.fetchAll(
            db, sql: "SELECT \(columns) FROM dead_letter WHERE app = ? AND reference = ? AND value = ? ORDER BY id",
            arguments: [app, profile.key, profile.value]
        ).map { row in
            let item = try item(row, at: now)
            var identifiers = IntegrationIdentifiers()
            for identifier in item.identifiers {
                let text: String? = row[11]
                identifiers[identifier] = text.map { .text($0) } ?? .null
            }
            return (item, identifiers)
        }
    }

    private static let columns = """
        id, app, reference, value, origin, attempts, died_at, status, code, message, field, field_value, count, first_at
        """

    private static func item(_ row: Row, at now: Timestamp) throws -> DeskItem {
        DeskItem(
            state: .dead, app: row[1], profile: try ProfileReference(key: row[2], value: row[3]), origin: row[4],
            identifiers: [Identifier(name: row[10])].compactMap { $0 },
            age: max(now - Timestamp(milliseconds: row[6]), .zero), attempts: row[5], next: nil,
            failure: Failure(status: row[7], code: row[8], message: row[9]), count: row[12],
            firstAge: max(now - Timestamp(milliseconds: row[13]), .zero))
    }
}

extension DeskFilter {
    fileprivate func accepts(_ item: DeskItem) -> Bool {
        accepts(
            item.state, app: item.app, origin: item.origin, error: item.failure?.code, age: item.age,
            profile: item.profile)
    }
}

extension ProfileRow {
    /// Every profile in the file that goes by a name; what stands in the log for one says too little to look it up.
    static func references(matching name: DeskProfileName, in db: Database) throws -> [ProfileReference] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT reference, value FROM profile UNION SELECT reference, value FROM accepted
                UNION SELECT reference, value FROM dead_letter
                """)
        var found: [ProfileReference] = []
        while let row = try rows.next() {
            let profile = try ProfileReference(key: row[0], value: row[1])
            if name.matches(profile) { found.append(profile) }
        }
        return found
    }
}
