package import EventLoop

/// One document from one URL, over the loop and the libcurl that attempts use: a bounded answer in a bounded time,
/// certificates verified, no redirect followed. For what is fetched now and then, such as an issuer's keys.
package final class BoundedGet: Sendable {
    private let transport: Transport
    private let headers: HeaderList
    private let accept: String

    /// - Parameters:
    ///   - url: http or https, without a user.
    ///   - accept: the media types that are asked for.
    ///   - mostBytes: a longer document is a failure.
    package init(
        _ url: String, accept: String, mostBytes: Int, timeout: Duration, on loop: EventLoop
    ) throws(Failure) {
        guard let parsed = ParsedURL(url) else { throw Failure("this is no URL") }
        transport = Transport(TransferOptions(getting: parsed, mostBytes: mostBytes, timeout: timeout), on: loop)
        headers = HeaderList()
        self.accept = accept
    }

    deinit {
        transport.dispose()
    }

    /// Why there is no document: one line for the log.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// The body of a 200; anything else is a failure.
    package func callAsFunction() async throws(Failure) -> [UInt8] {
        let request = Call.Request(method: .get, profileHeader: "Accept", profileValue: accept, headers: headers)
        switch await transport.perform(request) {
        case .answered(let answer) where answer.status != 200: throw Failure("status \(answer.status)")
        case .answered(let answer) where !answer.isWhole: throw Failure("the answer is too long")
        case .answered(let answer): return answer.body
        case .failed(let failure): throw Failure("\(failure.kind.rawValue): \(failure.message)")
        case .abandoned(_): throw Failure("given up")
        }
    }

    /// Gives up what is under way and frees everything; comes before the loop stops.
    package func close() async {
        await transport.close(grace: .zero)
    }
}
