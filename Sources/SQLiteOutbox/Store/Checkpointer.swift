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
        var isStopping = false
    }

    private let state = Condition(State())
    private let stopped = Condition(false)
    private let settings: OutboxSettings
    private let queue: DatabaseQueue
    private let wantsFinish: @Sendable () -> Void
    private let failed: @Sendable (WriteFailure) -> Void

    /// - Parameters:
    ///   - wantsFinish: the log is long; the end of it has to be checkpointed between two commits.
    ///   - failed: what was checkpointed may not be on the disk.
    init(
        path: String, settings: OutboxSettings, wantsFinish: @escaping @Sendable () -> Void,
        failed: @escaping @Sendable (WriteFailure) -> Void
    ) throws(OutboxOpenError) {
        self.settings = settings
        self.wantsFinish = wantsFinish
        self.failed = failed
        do {
            queue = try DatabaseQueue(path: path, configuration: OutboxFile.configuration(settings))
        } catch {
            throw OutboxOpenError(path: path, error)
        }
        try startThread("checkpoint") { [self] in run() }
    }

    func wrote(bytes: Int) {
        let threshold = settings.checkpointBytes
        state.withLock(wakingIf: { $0.bytes >= threshold }) { $0.bytes += bytes }
    }

    /// Waits for a checkpoint that runs, then closes the connection.
    func stop() {
        state.withLock { $0.isStopping = true }
        stopped.wait(for: nil, until: { $0 }, take: { _ in })
    }

    private func run() {
        while true {
            let threshold = settings.checkpointBytes
            let (bytes, isStopping) = state.wait(for: settings.checkpointAfter) { state in
                state.bytes >= threshold || state.isStopping
            } take: { state in
                (exchange(&state.bytes, with: 0), state.isStopping)
            }
            if isStopping { break }
            if bytes > 0 { checkpoint() }
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
            failed(WriteFailure(error))
        }
    }
}
