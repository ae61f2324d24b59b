import GRDB
import Glibc
import Relay
import SQLiteOutbox
import Synchronization

/// A directory of its own, gone with the test.
final class Scratch: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/patchbay-outbox-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/tmp/patchbay-outbox"
    }

    deinit {
        removeTree(path)
    }

    var file: String { path + "/var/patchbay.db" }
}

private func removeTree(_ path: String) {
    if let directory = opendir(path) {
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { removeTree(path + "/" + name) }
        }
        closedir(directory)
    }
    remove(path)
}

/// Which apps were said to have something due, in order.
final class DueLog: Sendable {
    private let names = Mutex<[String]>([])

    func note(_ app: String) { names.withLock { $0.append(app) } }
    var apps: [String] { names.withLock { $0 } }
}

/// Noon of a day; tests count from it.
let noon = Timestamp(milliseconds: 1_791_979_200_000)

extension OutboxSettings {
    /// The clock stands still.
    static var atNoon: OutboxSettings {
        var settings = OutboxSettings()
        settings.clock = { noon }
        return settings
    }
}

func user(_ name: String) -> ProfileReference {
    CustomerUserID(name).map { .customerUserID($0) } ?? .profileID(UniqueID(high: 0, low: 0))
}

func patch(_ name: String, _ values: [Identifier: String], at: Timestamp? = noon) -> Patch {
    Patch(profile: user(name), identifiers: IntegrationIdentifiers(values), at: at)
}

func submission(
    _ patches: Patch..., id: UInt64 = 0, app: String = "main", received: Timestamp = noon, isAwaited: Bool = false,
    isInsistent: Bool = false
) -> Submission {
    Submission(
        id: UniqueID(high: 1, low: id), app: app, origin: "appsflyer", patches: patches, received: received,
        isAwaited: isAwaited, isInsistent: isInsistent)
}

let outage = Failure(status: 503, code: "unavailable", message: "try later")
let noProfile = Failure(status: 404, code: "profile_not_found", message: "Profile not found")
let rejection = Failure(status: 400, code: "validation_error", message: "no")

/// Reads a database file as a person with `sqlite3` would.
func query<Value: DatabaseValueConvertible>(_ path: String, _ sql: String, as type: Value.Type = Value.self) throws
    -> [Value]
{
    var configuration = Configuration()
    // The store writes beside us.
    configuration.busyMode = .timeout(30)
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? queue.close() }
    return try queue.read { try Value.fetchAll($0, sql: sql) }
}

/// Random numbers that are the same in every run. Sebastiano Vigna's SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// Copies a file as it is at this moment.
func copyFile(_ source: String, _ target: String) {
    let from = open(source, O_RDONLY)
    let to = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { [from, to].forEach { close($0) } }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(from, &buffer, buffer.count), count > 0 { _ = write(to, buffer, count) }
}

func bytes(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

func content(of path: String) -> [UInt8] {
    let file = open(path, O_RDONLY)
    defer { close(file) }
    return [UInt8](unsafeUninitializedCapacity: bytes(of: path)) { buffer, count in
        count = max(0, read(file, buffer.baseAddress, buffer.count))
    }
}

/// A clock that stands still until a test moves it.
final class HandClock: Sendable {
    private let time = Mutex(noon)

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }

    var settings: OutboxSettings {
        var settings = OutboxSettings()
        settings.clock = { self.now }
        return settings
    }
}
