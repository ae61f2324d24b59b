import EventLoop

/// Reads the PROXY header of one connection, and not a byte more: what follows it is somebody else's.
struct ProxyIntroduction {
    enum Step {
        /// The header has not come to its end.
        case wait
        case introduced(ProxyHeader.Source)
        /// The connection ended before anything came: a look whether somebody is here.
        case left
        case malformed
    }

    /// What was taken of the header so far.
    private var bytes: [UInt8] = []

    /// Looks before it takes. Bytes that leave the header unfinished all belong to it and are taken, so that the loop
    /// is not woken for them again.
    /// - Parameter buffer: scratch.
    mutating func read(from socket: borrowing ConnectedSocket, _ buffer: UnsafeMutableRawBufferPointer) -> Step {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<ProxyHeader.mostBytes])
        let count: Int
        switch socket.peek(into: room) {
        case .bytes(let seen): count = seen
        case .wouldBlock: return .wait
        case .end, .failed: return bytes.isEmpty ? .left : .malformed
        }
        let held = bytes.count
        bytes += room[..<count]
        switch ProxyHeader(bytes) {
        case .needsMore: return take(count, from: socket, room) ? .wait : .malformed
        case .header(let source, let length):
            return take(length - held, from: socket, room) ? .introduced(source) : .malformed
        case .malformed: return .malformed
        }
    }

    /// Takes what was seen; it is there, so it comes in one piece.
    private func take(
        _ count: Int, from socket: borrowing ConnectedSocket, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard case .bytes(count) = socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        else { return false }
        return true
    }
}

extension ConnectedSocket {
    /// The same, for a socket that may be there or not: one cannot be copied out of its optional.
    func read(
        _ introduction: inout ProxyIntroduction, _ buffer: UnsafeMutableRawBufferPointer
    ) -> ProxyIntroduction.Step {
        introduction.read(from: self, buffer)
    }
}
