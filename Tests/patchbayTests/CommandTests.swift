import Foundation
import Testing

@Suite("The command line")
struct CommandTests {
    @Test(
        "--help of every command shows an example",
        arguments: ["", "serve", "check", "outbox", "rejected", "normalize", "sandbox", "demo"])
    func help(command: String) throws {
        let (status, output, _) = try RunningPatchbay.run([command, "--help"].filter { !$0.isEmpty })
        #expect(status == 0)
        #expect(output.contains("Example:"))
        #expect(output.contains("patchbay \(command)"))
    }

    @Test("a wrong configuration ends with 78, every mistake with its line, and no secret in sight")
    func wrongConfiguration() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            """
            apps:
              main:
                upstreem: https://api.adapty.io
                secret_key: env:NOT_THERE
              old:
                secret_key: env:PUBLIC_KEY
            sources:
              af: { vendor: appsflyer, app: main }
              typo: { vendor: appsflier, app: main, auth: none }
            """, to: "wrong.yaml")
        for command in ["check", "serve"] {
            let (status, output, errors) = try RunningPatchbay.run(
                [command, "--config", path], environment: ["PUBLIC_KEY": "public_live_canary"])
            #expect(status == 78)
            #expect(output.isEmpty)
            for line in [3, 4, 6, 8, 9] { #expect(errors.contains("line \(line): "), "\(errors)") }
            #expect(errors.contains("NOT_THERE"))
            #expect(errors.contains("did you mean"))
            #expect(!errors.contains("canary"))
        }
    }

    @Test("a missing file ends with 78 and says which")
    func missingFile() throws {
        let (status, _, errors) = try RunningPatchbay.run(["serve", "--config", "/nowhere/patchbay.yaml"])
        #expect(status == 78)
        #expect(errors.contains("/nowhere/patchbay.yaml"))
    }

    @Test("check shows what is in effect, with secrets masked")
    func check() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "apps:\n  main: { secret_key: env:KEY }\nsources:\n  af: { vendor: appsflyer, app: main, auth: none }\n",
            to: "right.yaml")
        let (status, output, _) = try RunningPatchbay.run(
            ["check", "--config", path], environment: ["KEY": "secret_live_canary"])
        #expect(status == 0)
        #expect(output.contains("<secret>"))
        #expect(output.contains("https://api.adapty.io"))
        #expect(!output.contains("canary"))
    }

    @Test("normalize prints patches as JSON lines, and says why something was left out")
    func normalize() throws {
        let payload = #"{"cohort_id":"c","users":[{"user_id":"usr_1"},{"user_id":"unknown"}]}"#
        let (status, output, errors) = try RunningPatchbay.run(["normalize", "--vendor", "amplitude"], input: payload)
        #expect(status == 0)
        let lines = output.split(separator: "\n")
        #expect(lines == [#"{"customer_user_id":"usr_1","identifiers":{"amplitude_user_id":"usr_1"},"at":null}"#])
        #expect(errors.contains("skipped: "))
        let quiet = try RunningPatchbay.run(["normalize", "--vendor", "amplitude", "--json"], input: payload)
        #expect(quiet.output == output)
        #expect(quiet.errors.isEmpty)
    }

    @Test("normalize reads a query, and ends with 65 for what cannot be read")
    func normalizeOthers() throws {
        let query = try RunningPatchbay.run(
            ["normalize", "--vendor", "adjust", "--query", "adid=4c1f0f5e&user_id=usr_1&created_at=1791966103"])
        #expect(
            query.output
                == #"{"customer_user_id":"usr_1","identifiers":{"adjust_device_id":"4c1f0f5e"},"at":"2026-10-14T08:21:43.000Z"}"#
                + "\n")
        let marked = try RunningPatchbay.run(
            ["normalize", "--vendor", "adjust", "--query", "?adid=4c1f0f5e&user_id=usr_1&created_at=1791966103"])
        #expect(marked.output == query.output)
        #expect(try RunningPatchbay.run(["normalize", "--vendor", "amplitude"], input: "{").status == 65)
        let unknown = try RunningPatchbay.run(["normalize", "--vendor", "nobody"], input: "{}")
        #expect(unknown.status == 64)
        #expect(unknown.errors.contains("appsflyer"))
    }

    @Test("normalize reads several files, and goes on behind one that it cannot read")
    func normalizeFiles() throws {
        let directory = try TemporaryDirectory()
        let first = try directory.write(#"{"appsflyer_id":"1","customer_user_id":"u"}"#, to: "1.json")
        let second = try directory.write("{", to: "2.json")
        let third = try directory.write(#"{"appsflyer_id":"3","user":"v"}"#, to: "3.json")
        let patch = #"{"customer_user_id":"u","identifiers":{"appsflyer_id":"1"},"at":null}"# + "\n"
        let command = ["normalize", "--vendor", "appsflyer"]
        let all = try RunningPatchbay.run(command + [first, second, third])
        #expect(all.status == 65)
        #expect(all.output == patch)
        #expect(all.errors.contains("\(third):"))
        #expect(all.errors.contains("the payload's keys: appsflyer_id, user"))
        let missing = try RunningPatchbay.run(command + [directory.path + "/none.json", first])
        #expect(missing.status == 66)
        #expect(missing.output == patch)
        #expect(try RunningPatchbay.run(command + [first, "-"], input: "{}").status == 0)
    }

    @Test("demo delivers every sample and shows what the sandbox holds")
    func demo() throws {
        let (status, output, errors) = try RunningPatchbay.run(["demo"])
        #expect(status == 0, "\(errors)")
        #expect(output.contains("1791840099001-6620174411098230195"))
        #expect(output.contains("14820355917743086215"))
        #expect(!output.contains(" 500 "))
    }

    @Test("a port that is taken, and an outbox that another node has, are one clear sentence")
    func cannotStart() async throws {
        let test = try await RelayUnderTest()
        let taken = try test.directory.write(
            """
            listen: 127.0.0.1:0
            admin: { listen: 127.0.0.1:0 }
            outbox: sqlite:\(test.directory.path)/patchbay.db
            apps:
              main: { secret_key: env:KEY }
            """, to: "second.yaml")
        let second = try RunningPatchbay.run(["serve", "--config", taken], environment: ["KEY": "secret_live_x"])
        #expect(second.status == 1)
        #expect(second.errors.contains("in use by another process"))
    }
}
