import Relay

/// What the corpus is judged against: one path that takes a JSON object by POST.
struct CorpusServer: Responder {
    func answerEarly(_ head: Request) -> Response? {
        head.path == CorpusCase.path ? nil : Response(.notFound)
    }

    func respond(to request: Request) async -> Response { answer(to: request) }

    func answer(to request: Request) -> Response {
        guard request.path == CorpusCase.path else { return Response(.notFound) }
        guard request.method == .post else { return Response(.methodNotAllowed([.post])) }
        guard request.body.starts(with: #"{""#.utf8), request.body.last == UInt8(ascii: "}") else {
            return Response(.malformedBody("No JSON object."))
        }
        return .json(200, Array(#"{"accepted":1}"#.utf8))
    }
}
