import Glibc

/// Runs a closure on a thread of its own.
/// - Parameter name: at most 15 bytes of it are seen in `top -H`.
func startThread(_ name: String, _ body: @escaping () -> Void) throws(OutboxOpenError) {
    final class Start {
        let name: String
        let body: () -> Void
        init(_ name: String, _ body: @escaping () -> Void) { (self.name, self.body) = (name, body) }
    }
    // The thread takes the one reference; where there is no thread it is given back below.
    let start = Unmanaged.passRetained(Start(name, body))
    var handle = pthread_t()
    let code = pthread_create(
        &handle, nil,
        { context in
            guard let context else { return nil }
            let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
            nameThread(start.name)
            start.body()
            return nil
        }, start.toOpaque())
    guard code == 0 else {
        start.release()
        throw OutboxOpenError(
            path: name, problem: .failed, cause: "pthread_create: \(code) \(String(cString: strerror(code)))")
    }
    pthread_detach(handle)
}

/// `pthread_setname_np` is a GNU extension that Swift's Glibc does not show; the file says the same to the kernel.
private func nameThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    let bytes = Array(name.utf8.prefix(15))
    _ = write(descriptor, bytes, bytes.count)
    close(descriptor)
}
