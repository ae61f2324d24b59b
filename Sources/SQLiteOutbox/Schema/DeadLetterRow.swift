import GRDB
import Relay

// Dead letters are in the file alone, one row for each profile and field; memory has their number, and of those that
// Adapty refused the value.

extension DeadLetter {
    /// Takes the place of an earlier one of the same profile and field; of the same value it raises the count.
    /// - Returns: whether there was none, and the count.
    func store(as id: UniqueID, in db: Database) throws -> (isNew: Bool, count: Int) {
        let of: StatementArguments = [app, profile.key, profile.value, field.identifier.name]
        let known = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT id, field_value, count, first_at FROM dead_letter WHERE \(Self.isIt)"),
            arguments: of)
        let isSame = known.map { $0[1] as String? == field.value.text } ?? false
        let (count, first): (Int, Int64) = isSame ? (known?[2] ?? 0, known?[3] ?? 0) : (0, died.milliseconds)
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO dead_letter (id, app, reference, value, field, field_value, at, origin, count,
                    first_at, died_at, attempts, since, is_rejected, status, code, message, answer)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            // Another value is another dead letter: whoever asked for the old one does not mean this.
            arguments: [isSame ? known?[0] ?? id.description : id.description] + of + [
                field.value.text, field.at.milliseconds, origin, count + 1, first, died.milliseconds, attempts,
                since.milliseconds, answer != nil, failure.status, failure.code, failure.message,
                answer.map { String(decoding: $0.body, as: UTF8.self) },
            ])
        return (known == nil, count + 1)
    }

    private static let isIt = "app = ? AND reference = ? AND value = ? AND field = ?"

    static func counts(in db: Database) throws -> [String: Int] {
        try Row.fetchAll(db, sql: "SELECT app, count(*) FROM dead_letter GROUP BY app")
            .reduce(into: [:]) { $0[$1[0]] = $1[1] }
    }

    /// Those that died first, of those that died before a time.
    static func ids(of app: String, diedBefore time: Timestamp, limit: Int, in db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: "SELECT id FROM dead_letter WHERE app = ? AND died_at < ? ORDER BY died_at LIMIT ?"),
            arguments: [app, time.milliseconds, limit])
    }
}

extension RejectedField {
    /// What Adapty refused of a profile.
    static func find(_ profile: ProfileReference, of app: String, in db: Database) throws -> [RejectedField] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT field, field_value, at, count, first_at, died_at, status, answer FROM dead_letter
                WHERE app = ? AND reference = ? AND value = ? AND is_rejected
                """)
        return try Row.fetchAll(statement, arguments: [app, profile.key, profile.value]).compactMap { row in
            // A field that only a newer Patchbay knows.
            guard let identifier = Identifier(name: row[0]) else { return nil }
            let text: String? = row[1]
            let answer: String? = row[7]
            return RejectedField(
                field: .init(
                    identifier: identifier, value: text.map { .text($0) } ?? .null,
                    at: Timestamp(milliseconds: row[2]), sequence: 0),
                answer: RememberedAnswer(
                    UpstreamAnswer(status: row[6] ?? 400, body: Array((answer ?? "").utf8))),
                count: row[3], first: Timestamp(milliseconds: row[4]), last: Timestamp(milliseconds: row[5]))
        }
    }

    /// How often it was said by now, and when last.
    func recount(of profile: ProfileReference, in app: String, db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE dead_letter SET count = max(count, ?), died_at = max(died_at, ?), at = max(at, ?)
                WHERE app = ? AND reference = ? AND value = ? AND field = ? AND is_rejected AND field_value IS ?
                """
        ).execute(arguments: [
            count, last.milliseconds, field.at.milliseconds, app, profile.key, profile.value, field.identifier.name,
            field.value.text,
        ])
    }
}

extension IntegrationIdentifiers.Value {
    /// Nil for null.
    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }
}
