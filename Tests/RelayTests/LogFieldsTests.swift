import Foundation
import Logging
import Relay
import Testing

@Suite("The fields of a log line")
struct LogFieldsTests {
    private struct Trouble: Error, CustomStringConvertible {
        let description = "no room"
    }

    private func text(_ event: Logger.Metadata?, of logger: Logger.Metadata, error: (any Error)? = nil) -> String {
        var json = JSONText()
        json.object { json in
            json.field("message", "m")
            LogFields(event, of: logger, error: error).write(to: &json)
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test("have each key once, whoever says it: the event goes before its logger, and a line before both")
    func once() throws {
        let line = LogLine { $0.field("app", "of the line") }
        let cases: [(Logger.Metadata?, Logger.Metadata, String)] = [
            (["app": "of the event"], ["app": "of the logger"], #""app":"of the event""#),
            (line.metadata, ["app": "of the logger"], #""app":"of the line""#),
            (line.metadata.merging(["app": "of the event"]) { $1 }, [:], #""app":"of the line""#),
            (nil, ["app": "of the logger"], #""app":"of the logger""#),
            (["error": "said"], ["error": "of all"], #""error":"no room""#),
        ]
        for (event, logger, expected) in cases {
            let error: (any Error)? = event?["error"] == nil ? nil : Trouble()
            let text = text(event, of: logger, error: error)
            #expect(text == #"{"message":"m",\#(expected)}"#)
        }
        #expect(text(["message": "another", "time": "t"], of: [:]).ranges(of: #""message":"#).count == 1)
    }
}

@Suite("An error that a person reads")
struct ErrorWordsTests {
    @Test(
        "is words, and not how Swift writes the value",
        arguments: [
            (OutboxFailure.full("no disk") as any Error, "no room: no disk"),
            (OutboxFailure.unavailable("SQLite 5: database is locked"), "SQLite 5: database is locked"),
            (OutboxFailure.closed, "it is closed: the process is stopping"),
            (DeskError.outbox(.full("no disk")), "the outbox: no room: no disk"),
            (DeskError.refused("path must be absolute"), "path must be absolute"),
            (Failure(status: 503, code: "unavailable", message: "later"), "503 unavailable later"),
            (Refusal(503, "unavailable", "Later.", cause: "full"), "503 unavailable: Later. (full)"),
        ])
    func words(error: any Error, expected: String) {
        #expect("\(error)" == expected)
    }
}
