import Glibc

/// One process per outbox, whatever name it is opened by.
///
/// Two locks, because a file may have several names: `path.lock` keeps everybody from a *name*, as every Patchbay does;
/// one on the database itself keeps everybody from the *file*, through whatever hard or symbolic link they come.
///
/// The second is an open file description lock (`F_OFD_SETLK`) on a byte far beyond those that SQLite locks. SQLite's
/// own are the process's (POSIX): closing any descriptor of the database drops them all. So this one is opened before
/// SQLite opens the file and closed after it, and nothing else in the process may open the database but SQLite.
final class OutboxLock {
    /// The database's descriptor; used for nothing but the lock.
    private let descriptor: Int32
    /// Of `path`, and where that is a symbolic link, of what it leads to. Released with this.
    private let name: FileLock
    private let realName: FileLock?
    /// All that must stay what it is.
    let watch: FileWatch

    /// Makes the file where there is none, for the owner alone.
    /// - Parameter patience: how long to wait for whoever has it to end.
    init(of path: String, patience: Duration = .zero) throws(OutboxOpenError) {
        let end = ContinuousClock.now + patience
        let wasServed = access(path + ".lock", F_OK) == 0
        let name = try FileLock(besides: path, patience: patience)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw OutboxOpenError(path: path, problem: .notWritable, cause: "open \(path): \(words(errno))")
        }
        let realPath = Self.resolve(path)
        let realWasServed = realPath != path && access(realPath + ".lock", F_OK) == 0
        let realName: FileLock?
        do throws(OutboxOpenError) {
            realName = realPath == path ? nil : try FileLock(besides: realPath, patience: end - .now)
            try Self.lock(descriptor, of: path, until: end)
            try Self.checkNames(descriptor, of: path, wasServed: wasServed || realWasServed)
        } catch {
            close(descriptor)
            // Made for nothing; it would say that the file was served by this name.
            if !wasServed { unlink(path + ".lock") }
            throw error
        }
        var watch = FileWatch()
        watch.add(path, FileIdentity(descriptor: descriptor))
        watch.add(name.path, name.identity)
        if let realName { watch.add(realName.path, realName.identity) }
        watch.add(realPath + "-wal")
        watch.add(realPath + "-shm")
        self.descriptor = descriptor
        self.name = name
        self.realName = realName
        self.watch = watch
    }

    deinit {
        close(descriptor)
    }

    /// Whether a process has the file, asked without a lock, so that nobody's start fails over the question. Processes
    /// that lock the name alone are not seen. For a process that has not opened the outbox.
    static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var range = Self.range(F_WRLCK)
        return fcntl(descriptor, getLock, &range) == 0 && Int32(range.l_type) != F_UNLCK
    }

    /// `F_OFD_GETLK` and `F_OFD_SETLK`; Glibc's module has them not.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37

    /// SQLite's are from 2^30 on.
    private static func range(_ type: Int32) -> flock {
        var range = flock()
        range.l_type = Int16(type)
        range.l_whence = Int16(SEEK_SET)
        range.l_start = .max - 1
        range.l_len = 1
        return range
    }

    private static func lock(
        _ descriptor: Int32, of path: String, until end: ContinuousClock.Instant
    ) throws(OutboxOpenError) {
        var range = Self.range(F_WRLCK)
        while fcntl(descriptor, setLock, &range) != 0 {
            let code = errno
            let isHeld = code == EAGAIN || code == EACCES
            if code == EINTR || (isHeld && ContinuousClock.now < end) {
                usleep(10_000)
                continue
            }
            throw OutboxOpenError(
                path: path, problem: isHeld ? .inUse : .failed,
                cause: isHeld ? "it is served by another of its names" : "fcntl \(path): \(words(code))")
        }
    }

    /// The write-ahead log stands beside the name that a file was opened by. By another of its names a start would not
    /// find what is in the log alone.
    private static func checkNames(
        _ descriptor: Int32, of path: String, wasServed: Bool
    ) throws(OutboxOpenError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw OutboxOpenError(path: path, problem: .failed, cause: "fstat \(path): \(words(errno))")
        }
        guard status.st_nlink > 1, !wasServed, status.st_size > 0 else { return }
        throw OutboxOpenError(
            path: path, problem: .failed,
            cause: "it is a hard link, one of \(status.st_nlink) names of one file, and was not served by this one; "
                + "what stands in the write-ahead log beside another name would be lost. Use that name, or a copy")
    }

    /// Where links lead; the path itself where that cannot be told.
    private static func resolve(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        // Links among the directories lead to the same files: only that of the last name makes another one of it.
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return path }
        return String(cString: resolved)
    }
}

private func words(_ code: Int32) -> String { String(cString: strerror(code)) }
