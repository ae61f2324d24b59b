import Glibc

/// What a file is, whatever its name: the kernel gives no other file this pair while somebody has it open.
struct FileIdentity: Equatable {
    let device: UInt64
    let inode: UInt64

    /// What a name stands for now; nil where it stands for nothing that can be reached.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// Notices that a file of the outbox was deleted, or another put in its place. SQLite goes on writing to what it has
/// open, and whoever opens the name next finds nothing of it.
///
/// Asked after each commit and before its callers are answered: what was answered stood, at a moment after its commit,
/// in files that the next start finds. Each look costs about a microsecond a file. What is overwritten in place is the
/// same file, and not noticed here.
struct FileWatch {
    private struct Watched {
        let path: String
        /// Nil until it is first there: SQLite makes the write-ahead log and its index when it first needs them.
        var identity: FileIdentity?
    }

    private var files: [Watched] = []

    /// - Parameters:
    ///   - path: whatever name it goes by; links are followed.
    ///   - identity: what it was when it was opened, where that is known.
    mutating func add(_ path: String, _ identity: FileIdentity? = nil) {
        files.append(Watched(path: path, identity: identity))
    }

    /// - Throws: a failure that lasts, where a file is not what it was.
    mutating func look() throws {
        for place in files.indices {
            let now = FileIdentity(of: files[place].path)
            guard let known = files[place].identity else {
                files[place].identity = now
                continue
            }
            guard now != known else { continue }
            let cause = String(cString: strerror(errno))
            let path = files[place].path
            throw WriteFailure(
                taken: now == nil
                    ? "\(path) was taken away while it was in use (stat: \(cause))"
                    : "another file was put in the place of \(path) while it was in use")
        }
    }
}
