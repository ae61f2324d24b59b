import GRDB
import Relay

/// Copies what is committed from the write-ahead log into the file, on a connection and a thread of its own: a
/// checkpoint waits for the disk twice, and no commit shall wait with it.
///
/// `PASSIVE` never blocks the writer. The log begins anew with the first commit after a checkpoint that reached its
/// end; under commits that never pause none does, so beyond `mostLogBytes` the store itself is asked to finish.
final class Checkpointer: Sendable {
    private struct State {
        /// Written since the last checkpoint began, estimated.
        var bytes = 0
        /// From so many on one is made.
        var threshold: Int
        var isStopping = false
    }

    private let state: Condition<State>
    private let stopped = Condition(false)
    private let settings: OutboxSettings
    private let queue: DatabaseQueue
    private let wantsFinish: @Sendable () -> Void
    private let status: StoreStatus

    /// - Parameters:
    ///   - status: is told where what was checkpointed may not be on the disk; a store that is broken gets no more.
    ///   - wantsFinish: the log is long; the end of it has to be checkpointed between two commits.
    init(
        path: String, settings: OutboxSettings, status: StoreStatus, wantsFinish: @escaping @Sendable () -> Void
    ) throws(OutboxOpenError) {
        self.settings = settings
        state = Condition(State(threshold: settings.checkpointBytes))
        self.status = status
        self.wantsFinish = wantsFinish
        do {
            queue = try DatabaseQueue(path: path, configuration: OutboxFile.configuration(settings))
        } catch {
            throw OutboxOpenError(path: path, error)
        }
        try startThread("checkpoint") { [self] in run() }
    }

    /// - Parameter room: what the disk has. The file may grow by as much as the log holds, and must find the room.
    func wrote(bytes: Int, room: Int) {
        let threshold = min(settings.checkpointBytes, room / 8)
        state.withLock { state in
            state.bytes += bytes
            state.threshold = threshold
        }
    }

    /// Waits for a checkpoint that runs, then closes the connection.
    func stop() {
        state.withLock { $0.isStopping = true }
        stopped.wait(for: nil, until: { $0 }, take: { _ in })
    }

    private func run() {
        while true {
            let (bytes, isStopping) = state.wait(for: settings.checkpointAfter) { state in
                state.bytes >= state.threshold || state.isStopping
            } take: { state in
                (exchange(&state.bytes, with: 0), state.isStopping)
            }
            if isStopping { break }
            if bytes > 0, status.lastingFailure == nil { checkpoint() }
        }
        try? queue.close()
        stopped.withLock { $0 = true }
    }

    private func checkpoint() {
        do {
            let frames = try queue.writeWithoutTransaction { try $0.checkpoint(.passive).walFrameCount }
            if frames * 4096 > settings.mostLogBytes { wantsFinish() }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            // The store is finishing one itself.
        } catch {
            status.noteFailure(WriteFailure(error))
        }
    }
}
