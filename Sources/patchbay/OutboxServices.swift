import EventLoop
import Logging
import Relay
import SQLiteOutbox
import ServiceLifecycle
import Synchronization

/// One log line a minute while something is undelivered, and one when nothing is any more: how much, since when, and
/// why, by app.
struct WaitingReport: Service {
    let outbox: any Outbox
    let conditions: DeliveryConditions
    let clock: LoopClock
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var wasWaiting = false
            while (try? await clock.sleep(for: .seconds(60))) != nil {
                let census = await outbox.census().filter { $0.waiting > 0 }
                if wasWaiting || !census.isEmpty { report(census) }
                wasWaiting = !census.isEmpty
            }
        }
    }

    private func report(_ census: [Census]) {
        let held = conditions.held
        let line = LogLine { json in
            json.field("waiting", census.reduce(0) { $0 + $1.waiting })
            if let oldest = census.compactMap(\.oldestAge).max() { json.field("oldest_ms", milliseconds: oldest) }
            json.object("apps") { json in
                for app in census {
                    json.object(app.app) { json in
                        json.field("waiting", app.waiting)
                        json.field("retrying", app.retrying)
                        json.field("missing", app.missing)
                        json.field("dead_letters", app.deadLetters)
                        if let hold = held[app.app] {
                            hold.write(to: &json)
                        } else if app.retrying > 0, let failure = conditions.lastFailure(of: app.app) {
                            failure.write(to: &json)
                        }
                    }
                }
            }
        }
        logger.notice(census.isEmpty ? "nothing is undelivered" : "undelivered", metadata: line.metadata)
    }
}

/// One log line an hour for each source of which every event was skipped.
struct IdleSourceReport: Service {
    let requestLog: RequestLog
    let clock: LoopClock

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await clock.sleep(for: .seconds(3600))) != nil { requestLog.warnOfIdleSources() }
        }
    }
}

/// Tells what the outbox does by itself; ends the process where the outbox cannot be believed any more. Whoever starts
/// it again starts it on what the file really holds.
final class OutboxIncidents: Service {
    struct Broken: Error, CustomStringConvertible {
        let failure: OutboxFailure
        var description: String {
            "the outbox cannot be believed any more (\(failure)); nothing was accepted since, "
                + "and the next start reads the file"
        }
    }

    private let logger: Logger
    private let broken: (stream: AsyncStream<OutboxFailure>, continuation: AsyncStream<OutboxFailure>.Continuation)

    init(logger: Logger) {
        self.logger = logger
        broken = AsyncStream.makeStream()
    }

    func raise(_ event: OutboxEvent) {
        switch event {
        case .broken(let failure):
            logger.critical(
                "the outbox is broken: nothing more is accepted, and this process ends",
                metadata: LogLine { $0.field("error", "\(failure)") }.metadata)
            broken.continuation.yield(failure)
        case .unwritable(let failure):
            logger.error(
                "the outbox cannot be written: events are answered 503 until it can",
                metadata: LogLine { $0.field("error", "\(failure)") }.metadata)
        case .writable:
            logger.notice("the outbox can be written again")
        case .deadLettersRemoved(let app, let count):
            logger.warning(
                "dead letters removed, kept for as long as the configuration says",
                metadata: LogLine { json in
                    json.field("app", app)
                    json.field("count", count)
                }.metadata)
        }
    }

    /// - Throws: `Broken`; the others then stop in their order, as after SIGTERM.
    func run() async throws {
        for await failure in broken.stream.cancelOnGracefulShutdown() { throw Broken(failure: failure) }
    }
}
