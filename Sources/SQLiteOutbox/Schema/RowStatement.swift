import GRDB
import GRDBSQLite

/// A prepared statement whose arguments are bound straight from bytes. GRDB boxes each argument, which costs more
/// than SQLite's own work for the rows that every event writes; it still prepares and keeps the statement.
///
/// Arguments are given in order, then `run`.
struct RowStatement {
    private let statement: Statement
    private let connection: SQLiteConnection?
    /// The texts of one row, one behind the other. SQLite reads them where they are, until the statement is reset.
    private var texts: [UInt8] = []
    private var arguments: [Argument] = []
    /// What all runs so far were given.
    private(set) var boundBytes = 0

    private enum Argument {
        case null
        case integer(Int64)
        case text(from: Int, count: Int)
    }

    init(_ sql: String, in db: Database) throws {
        statement = try db.cachedStatement(sql: sql)
        connection = db.sqliteConnection
    }

    mutating func bind(_ text: String) {
        let start = texts.count
        texts.append(contentsOf: text.utf8)
        arguments.append(.text(from: start, count: texts.count - start))
    }

    mutating func bind(_ text: [UInt8]) {
        arguments.append(.text(from: texts.count, count: text.count))
        texts.append(contentsOf: text)
    }

    mutating func bind(_ integer: Int64) {
        arguments.append(.integer(integer))
    }

    mutating func bind(_ integer: Int) {
        arguments.append(.integer(Int64(integer)))
    }

    mutating func bindNull() {
        arguments.append(.null)
    }

    /// Runs the statement once; its arguments start anew. Returns whether it gave a row.
    @discardableResult
    mutating func run() throws -> Bool {
        defer {
            texts.removeAll(keepingCapacity: true)
            arguments.removeAll(keepingCapacity: true)
        }
        boundBytes += texts.count + 8 * arguments.count
        texts.append(0)
        let code = texts.withUnsafeBytes { texts in
            for (place, argument) in arguments.enumerated() {
                bind(argument, at: Int32(place + 1), in: texts)
            }
            let code = sqlite3_step(statement.sqliteStatement)
            sqlite3_reset(statement.sqliteStatement)
            sqlite3_clear_bindings(statement.sqliteStatement)
            return code
        }
        guard code == SQLITE_ROW || code == SQLITE_DONE else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
                message: String(cString: sqlite3_errmsg(connection)))
        }
        return code == SQLITE_ROW
    }

    /// Binding fails only for a place that the statement does not have, and for texts beyond SQLite's bound of a
    /// gigabyte.
    private func bind(_ argument: Argument, at place: Int32, in texts: UnsafeRawBufferPointer) {
        switch argument {
        case .null: sqlite3_bind_null(statement.sqliteStatement, place)
        case .integer(let integer): sqlite3_bind_int64(statement.sqliteStatement, place, integer)
        case .text(let start, let count):
            // `run` leaves room behind the texts, so that there is an address also where they are all empty. No
            // destructor: the bytes outlive the step.
            let text = texts.baseAddress.map { ($0 + start).assumingMemoryBound(to: CChar.self) }
            sqlite3_bind_text(statement.sqliteStatement, place, text, Int32(count), nil)
        }
    }
}
