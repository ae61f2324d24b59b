import GRDB
import Glibc
import Relay

/// Copies an outbox that somebody writes: as it is at one moment, without what was deleted. The writer goes on; its log
/// grows meanwhile.
/// - Returns: the copy's size in bytes.
func backUp(_ source: String, to path: String) throws(DeskError) -> Int {
    let isNew: Bool
    do {
        isNew = try makeForOwner(path)
    } catch {
        throw .refused("\(path) cannot be written: \(error.cause)")
    }
    guard isNew else { throw .refused("\(path) is there already, and nothing is overwritten") }
    do {
        let queue = try DatabaseQueue(path: source, configuration: OutboxFile.readerConfiguration)
        try queue.inDatabase { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
        try queue.close()
        try sync(path)
        let copy = try DatabaseQueue(path: path, configuration: OutboxFile.readerConfiguration)
        let words = try copy.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
        try copy.close()
        guard words == "ok" else { throw DeskError.refused("the copy is not whole: \(words ?? "no words")") }
        return fileSize(path)
    } catch {
        unlink(path)
        throw DeskError(error)
    }
}

/// To the disk, with its name.
private func sync(_ path: String) throws {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    for name in [path, folder] {
        let descriptor = open(name, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw DeskError.refused("fsync \(name): \(String(cString: strerror(errno)))")
        }
    }
}

/// Zero where there is no such file.
func fileSize(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}
