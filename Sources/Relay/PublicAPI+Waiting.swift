// Client apps and drop-in callers wait for what Adapty says, as they would if they talked to Adapty.

extension PublicAPI {
    func acceptAndWait(_ request: Request, through entrance: Entrance) async -> Response {
        let preference = Preference(request.headers)
        var request = request
        request.isAwaited = preference.wait != nil
        if request.isAwaited { answers.expect(request.id) }
        let receipt: Receipt
        do {
            receipt = try await intake.accept(Received(request, through: entrance))
        } catch {
            answers.forget(request.id)
            return Response(error)
        }
        guard let wait = preference.wait else {
            var response = Response.json(202, receipt.json).accounting(for: receipt)
            response.headers.append(Field("Preference-Applied", preference.applied))
            return response
        }
        if let refusal = receipt.dispositions.lazy.compactMap(\.refusal).first {
            // Adapty would say it again.
            answers.forget(request.id)
            return Response(relaying: refusal.answer).accounting(for: receipt)
        }
        if receipt.dispositions.allSatisfy({ $0 == .unchangedApplied }) {
            answers.forget(request.id)
            // What a v2 upstream says of values it holds already: 200 and a blank body.
            return Response(status: 200).accounting(for: receipt)
        }
        // Of a caller that hung up the wait is over: nobody is promised that an answer is heard. Its patch goes on.
        let answer = await withTaskCancellationHandler {
            await answers.answer(to: request.id, of: receipt.caller.app, within: wait)
        } onCancel: { [answers, id = request.id] in
            _ = answers.arrived(nil, for: id)
        }
        guard let answer, answer.isWhole else {
            return Response.json(202, receipt.json).accounting(for: receipt)
        }
        return Response(relaying: answer).accounting(for: receipt)
    }
}

/// What a caller prefers. RFC 7240: `wait=N` seconds, `respond-async`; anything else is ignored, as the RFC asks.
struct Preference: Equatable {
    static let defaultSeconds: UInt64 = 5
    static let mostSeconds: UInt64 = 30

    /// How long to wait for the upstream's answer; nil for not at all.
    let wait: Duration?
    /// What of it is done where nothing is waited for.
    let applied: String

    init(_ headers: Headers) {
        var seconds = Self.defaultSeconds
        var isAsynchronous = false
        let lines = headers.values(of: "prefer").map { String(decoding: $0, as: UTF8.self) }
        for preference in lines.joined(separator: ",").split(separator: ",") {
            let name = preference.prefix { $0 != ";" }.trimmingBlanks.lowercased()
            if name == "respond-async" {
                isAsynchronous = true
            } else if name.hasPrefix("wait=") {
                let digits = name.dropFirst("wait=".count).trimmingBlanks
                if let wanted = UInt64(digits) { seconds = min(wanted, Self.mostSeconds) }
            }
        }
        applied = isAsynchronous ? "respond-async" : "wait=0"
        wait = isAsynchronous || seconds == 0 ? nil : .seconds(seconds)
    }
}
