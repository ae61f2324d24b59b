import Foundation
import Testing

@Suite("The whole process: why was this rejected?", .serialized)
struct RejectedTests {
    private static let body = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#

    private func configuration(_ directory: TemporaryDirectory, admin: String = "127.0.0.1:0") throws -> String {
        try directory.write(
            """
            listen: 127.0.0.1:0
            admin: { listen: "\(admin)", token: env:ADMIN }
            outbox: sqlite:\(directory.path)/patchbay.db
            drain: { delay: 0s, timeout: 1s }
            apps:
              main: { upstream: "http://127.0.0.1:1", secret_key: env:KEY }
            sources:
              onesignal: { vendor: onesignal, app: main, auth: { token: env:TOKEN, in: header, name: X-Api-Key } }
            """, to: "patchbay.yaml")
    }

    private static let environment = ["ADMIN": "admin-token", "KEY": "secret_live_x", "TOKEN": "a-token-of-length-23"]

    // Regression: a wrong field name was answered 200 with "skipped":1 for ever, and nobody saw it.
    @Test("what was answered 200 and came to nothing is found by the same command, with the names of its fields")
    func skipped() async throws {
        let directory = try TemporaryDirectory()
        let path = try configuration(directory)
        let relay = try await RunningPatchbay(["serve", "--config", path], environment: Self.environment)
        let answer = try TestClient(relay.address).post(
            "/hooks/onesignal", #"{"external_user":"canary-user-3f","player":"canary-player-9a"}"#,
            ["X-Api-Key": "a-token-of-length-23"])
        #expect(answer.status == 200 && answer.text.contains(#""skipped":1"#))
        let run = try RunningPatchbay.run(
            ["rejected", "--config", path, "--admin", relay.adminAddress], environment: ["ADMIN": "admin-token"])
        #expect(run.output.contains("skipped"))
        #expect(run.output.contains("The payload's keys are external_user, player."))
        #expect(!run.output.contains("canary"))
    }

    @Test("a wrong secret is found by one command, also under a flood, with the digest of the body that came with it")
    func wrongSecret() async throws {
        let directory = try TemporaryDirectory()
        let path = try configuration(directory)
        let relay = try await RunningPatchbay(["serve", "--config", path], environment: Self.environment)
        let client = try TestClient(relay.address)
        #expect(try client.post("/hooks/onesignal", Self.body, ["X-Api-Key": "old-token"]).status == 401)
        for _ in 0..<2000 { #expect(try client.post("/hooks/nobody", "x").status == 404) }
        #expect(try client.post("/hooks/onesignal", Self.body).status == 401)

        func rejected(_ arguments: String...) throws -> String {
            // The token is all of the environment that whoever asks needs.
            let run = try RunningPatchbay.run(
                ["rejected", "--config", path, "--admin", relay.adminAddress] + arguments,
                environment: ["ADMIN": "admin-token"])
            #expect(run.status == 0, "\(run.errors)")
            return run.output
        }
        let table = try rejected("--source", "onesignal", "--since", "10m")
        #expect(table.contains("wrong_credential"))
        #expect(table.contains("is the header X-Api-Key set at the sender?"))
        #expect(table.contains("SHA-256 \(Self.sha256Prefix)"))
        #expect(!table.contains("not_found"))
        #expect(!table.contains("old-token"))
        let lines = try rejected("--json").split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary
        }
        #expect(Set(lines.compactMap { $0["cause"] as? String }) == ["", "wrong_credential", "no_credential"])
        #expect(lines.first { $0["error_code"] as? String == "not_found" }?["count"] as? Int == 2000)
        let metrics = try TestClient(relay.adminAddress).send(
            "GET", "/metrics", ["Authorization": "Bearer admin-token"])
        let counted =
            #"patchbay_rejections_total{route="/hooks/onesignal",caller="onesignal","#
            + #"code="unauthorized",cause="wrong_credential"} 1"#
        #expect(metrics.text.contains(counted))
    }

    /// `printf '{"appsflyer_id":"1-2","customer_user_id":"u"}' | sha256sum | cut -c1-16`
    private static let sha256Prefix = "681bb1310eea9cfe"

    @Test("a node that is not there, a wrong token and a question that cannot be read are a sentence and a code each")
    func errors() async throws {
        let directory = try TemporaryDirectory()
        let path = try configuration(directory)
        let relay = try await RunningPatchbay(["serve", "--config", path], environment: Self.environment)
        func run(_ arguments: String..., token: String = "admin-token") throws -> (status: Int32, errors: String) {
            let run = try RunningPatchbay.run(
                ["rejected", "--config", path] + arguments, environment: ["ADMIN": token])
            return (run.status, run.errors)
        }
        let nobody = try run("--admin", "127.0.0.1:1")
        #expect(nobody.status == 69)
        #expect(nobody.errors.contains("no node answers at 127.0.0.1:1"))
        let stranger = try run("--admin", relay.adminAddress, token: "another")
        #expect(stranger.status == 77)
        #expect(stranger.errors.contains("does not take the admin.token of \(path)"))
        let question = try run("--admin", relay.adminAddress, "--since", "soon")
        #expect(question.status == 1)
        #expect(question.errors.contains("since must be a time such as 90s"))
        #expect(try run().status == 64)
        #expect(try run("--admin", "nowhere").status == 64)
        #expect(try run("--config", "/nowhere.yaml", "--admin", relay.adminAddress).status == 78)
    }
}
