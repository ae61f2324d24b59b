import Glibc

/// One process per name of an outbox: a lock on a file of its own beside it. The kernel lets go of it when the process
/// ends, however it ends. `OutboxLock` is the whole.
final class FileLock {
    private let descriptor: Int32
    /// Of the lock itself.
    let path: String

    /// - Parameters:
    ///   - path: the outbox; the lock is `path.lock`, and says who holds it.
    ///   - patience: how long to wait for whoever holds it to end.
    init(besides path: String, patience: Duration = .zero) throws(OutboxOpenError) {
        let lockPath = path + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw OutboxOpenError(path: path, problem: .notWritable, cause: "open \(lockPath): \(Self.words(errno))")
        }
        let deadline = ContinuousClock.now + patience
        // The kernel would wait for us, but not with a limit.
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR || (code == EWOULDBLOCK && ContinuousClock.now < deadline) {
                usleep(10_000)
                continue
            }
            let holder = Self.read(descriptor)
            close(descriptor)
            if code == EWOULDBLOCK {
                throw OutboxOpenError(path: path, problem: .inUse, cause: "\(lockPath) is held by process \(holder)")
            }
            throw OutboxOpenError(path: path, problem: .failed, cause: "flock \(lockPath): \(Self.words(code))")
        }
        self.descriptor = descriptor
        self.path = lockPath
        let owner = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, owner, owner.count, 0)
    }

    var identity: FileIdentity? { FileIdentity(descriptor: descriptor) }

    /// The file stays: removing it would let two others lock two different files of one name.
    deinit {
        close(descriptor)
    }

    private static func read(_ descriptor: Int32) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }

    private static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// Makes a file for the owner alone where there is none: the outbox holds people's ids. SQLite would let everybody read
/// it; it gives the write-ahead log and its index the file's mode. The mode of a file that is there is its owner's
/// choice.
/// - Returns: whether it was made.
@discardableResult
func makeForOwner(_ path: String) throws(OutboxOpenError) -> Bool {
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor < 0 else {
        close(descriptor)
        return true
    }
    let code = errno
    guard code != EEXIST else { return false }
    throw OutboxOpenError(path: path, problem: .notWritable, cause: "open \(path): \(String(cString: strerror(code)))")
}

/// Makes the directories above a file, as `mkdir -p` does, for the owner alone: the outbox holds people's ids.
func makeParents(of path: String) throws(OutboxOpenError) {
    var parent = ""
    for part in path.split(separator: "/", omittingEmptySubsequences: false).dropLast() {
        parent += part + "/"
        guard mkdir(parent, 0o700) != 0, errno != EEXIST else { continue }
        let code = errno
        var status = stat()
        if stat(parent, &status) == 0 { continue }
        throw OutboxOpenError(
            path: path, problem: .notWritable, cause: "mkdir \(parent): \(String(cString: strerror(code)))")
    }
}
