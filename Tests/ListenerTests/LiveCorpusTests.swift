import EventLoop
import Testing

extension Live {
    /// The corpus against a listener over real sockets.
    @Suite("The listener and the corpus")
    struct LiveCorpusTests {
        @Test("every case gets what the corpus asks for", arguments: Transport.allCases)
        func cases(_ transport: Transport) async throws {
            try await LiveServer.run(over: transport, limits: .quick) { server in
                await withTaskGroup { group in
                    // As many at once as a client would: a server that mixed up its connections would show.
                    for offset in 0..<8 {
                        let cases = stride(from: offset, to: CorpusCase.all.count, by: 8).map { CorpusCase.all[$0] }
                        group.addTask {
                            for corpusCase in cases {
                                do {
                                    try judge(corpusCase, server)
                                } catch {
                                    Issue.record(error, "\(corpusCase)")
                                }
                            }
                        }
                    }
                }
                #expect(server.log.exchanges.count > CorpusCase.all.count)
            }
        }

        private func judge(_ corpusCase: CorpusCase, _ server: LiveServer) throws {
            let name = Comment(rawValue: corpusCase.testDescription)
            let host = server.address.description
            let client = try server.client()
            client.send(try corpusCase.bytes(host: host))
            var end = client.receive(
                answers: max(1, corpusCase.answers.upperBound), methods: corpusCase.methods, patience: .seconds(3))
            // One more than there may be would come now.
            if end == .answered { end = client.receive(methods: corpusCase.methods, patience: .milliseconds(30)) }
            let answers = client.answers(to: corpusCase.methods)
            let finals = answers.map(\.status).filter { $0 >= 200 }
            #expect(!answers.contains { $0.status == 101 }, name)
            #expect(client.rest(methods: corpusCase.methods).isEmpty, name)
            #expect(finals.count <= corpusCase.answers.upperBound, name)
            #expect(!finals.isEmpty || end != .quiet, "neither answered nor closed: \(name)")
            let isAccepted = finals.first.map { (200..<300).contains($0) } ?? false
            switch corpusCase.verdict {
            case .mustAccept:
                #expect(isAccepted && finals.count >= corpusCase.answers.lowerBound, name)
            case .mustReject:
                #expect(!isAccepted, name)
            case .either: break
            }
            if end == .quiet {
                client.send(try CorpusCase.valid(host: host))
                end = client.receive(answers: answers.count + 1, methods: corpusCase.methods, patience: .seconds(3))
                if corpusCase.mustClose {
                    #expect(end != .answered, "used again: \(name)")
                } else {
                    #expect(client.answers(to: corpusCase.methods).last?.status == 200, name)
                }
            }
        }
    }
}
