import Foundation
import Testing

@testable import Relay

@Suite("The description of the public routes")
struct OpenAPIDocumentTests {
    private let source = OpenAPIDocument(vendors: ["acme", "amplitude"])
    private var document: Document { Document(source) }

    @Test("is OpenAPI 3.1 at /openapi.json, for everybody")
    func isServed() async {
        var stages = FakeStages()
        stages.authentication = .unauthorized(cause: "nobody needs to be known")
        let request = Request(method: .get, path: "/openapi.json")
        let response = await DocumentedAPI(stages, Answers(clock: ContinuousClock())).respond(to: request)
        #expect(response.status == 200)
        #expect(response.header("Content-Type") == "application/json")
        #expect(response.account.route == "/openapi.json")
        let served = try? JSONSerialization.jsonObject(with: Data(response.body)) as? NSDictionary
        #expect(served?["openapi"] as? String == "3.1.0")
        #expect(((served?["paths"] as? NSDictionary)?.count ?? 0) == 8)
    }

    @Test("names every route with its methods, and nothing that is not there")
    func routes() async {
        let methods = document.paths.mapValues { Set($0.keys) }
        #expect(
            methods == [
                "/hooks/{source}": ["get", "post", "put", "patch"],
                "/hooks/{source}/{token}": ["get", "post", "put", "patch"],
                "/client/{vendor}": ["post"],
                DropInPath.v2 + "/": ["get", "post"], DropInPath.v1 + "/": ["post"], "/livez": ["get"],
                "/readyz": ["get"], "/openapi.json": ["get"],
            ])
        let api = DocumentedAPI(FakeStages(), Answers(clock: ContinuousClock())).api
        for (template, operations) in document.paths {
            let path = template.replacing("{source}/{token}", with: "by-path/x").replacing("{source}", with: "af")
                .replacing("{vendor}", with: "branch")
            for method in Relay.Method.allCases where method != .head {
                let isAllowed =
                    if case .success = api.route(Request(method: method, path: path)) { true } else { false }
                #expect(isAllowed == (operations[method.rawValue.lowercased()] != nil), "\(method) \(template)")
            }
        }
    }

    @Test("every reference leads somewhere, and every component is used")
    func references() throws {
        let text = String(decoding: source.json, as: UTF8.self)
        let used = Set(
            text.matches(of: try Regex(##""#/components/(\w+)/(\w+)""##, as: (Substring, Substring, Substring).self))
                .map { "\($0.output.1)/\($0.output.2)" })
        var defined: Set<String> = []
        for (kind, components) in try #require(document.root["components"] as? [String: Document.Object]) {
            // Security schemes are named, not referred to.
            guard kind != "securitySchemes" else { continue }
            for name in components.keys { defined.insert("\(kind)/\(name)") }
        }
        #expect(used == defined)
    }

    @Test("no name stands twice in an object: readers take either")
    func noDuplicates() throws {
        var reader = DuplicateFinder(source.json)
        #expect(reader.duplicates() == [])
    }

    @Test("every operation is named, answers with documented errors, and says how it is authenticated")
    func operations() throws {
        var ids: Set<String> = []
        let schemes = try #require(document.resolve(["$ref": "#/components/securitySchemes"]))
        for (template, path) in document.paths {
            for (method, value) in path {
                let operation = try #require(value as? Document.Object)
                let id = try #require(operation["operationId"] as? String)
                #expect(ids.insert(id).inserted, "\(id) twice")
                let security = operation["security"] as? [Document.Object] ?? []
                #expect(security.isEmpty == ["/livez", "/readyz", "/openapi.json"].contains(template))
                for name in security.flatMap(\.keys) { #expect(schemes[name] != nil, "\(name)") }
                let responses = try #require(operation["responses"] as? Document.Object)
                for (status, value) in responses {
                    let response = try #require(document.resolve(value))
                    let headers = response["headers"] as? Document.Object ?? [:]
                    #expect(headers["X-Request-Id"] != nil, "\(method) \(template) \(status)")
                    let mustSayWhen = status == "429" || (status == "503" && template != "/readyz")
                    #expect(!mustSayWhen || headers["Retry-After"] != nil, "\(method) \(template) \(status)")
                }
            }
        }
    }

    @Test("lists the vendors that there are")
    func vendors() {
        let schema = document.resolve(["$ref": "#/components/parameters/Vendor"])?["schema"] as? Document.Object
        #expect(schema?["enum"] as? [String] == ["acme", "amplitude"])
    }

    @Test("knows the fields of each version", arguments: APIVersion.allCases)
    func identifiers(version: APIVersion) {
        let name = "Identifiers\(version.rawValue.uppercased())"
        let schema = document.resolve(["$ref": "#/components/schemas/\(name)"])
        let properties = schema?["properties"] as? Document.Object ?? [:]
        #expect(Set(properties.keys) == Set(Identifier.allCases.filter { $0.isKnown(to: version) }.map(\.name)))
        // At least one of them must be there.
        #expect((schema?["anyOf"] as? [Any])?.count == properties.count)
    }
}

/// Finds the objects of a JSON text that have a name twice: `JSONSerialization` silently takes one of them.
private struct DuplicateFinder {
    private let bytes: [UInt8]
    private var place = 0
    private var found: [String] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func duplicates() -> [String] {
        value()
        return found
    }

    private mutating func value() {
        skipBlanks()
        switch bytes[place] {
        case UInt8(ascii: "{"): members(UInt8(ascii: "}"), haveNames: true)
        case UInt8(ascii: "["): members(UInt8(ascii: "]"), haveNames: false)
        case UInt8(ascii: "\""): _ = string()
        default: while place < bytes.count, !",]}".utf8.contains(bytes[place]) { place += 1 }
        }
        skipBlanks()
    }

    private mutating func members(_ end: UInt8, haveNames: Bool) {
        var names: Set<String> = []
        place += 1
        skipBlanks()
        while bytes[place] != end {
            if haveNames {
                let name = string()
                if !names.insert(name).inserted { found.append(name) }
                skipBlanks()
                place += 1
            }
            value()
            if bytes[place] == UInt8(ascii: ",") { place += 1 }
            skipBlanks()
        }
        place += 1
    }

    private mutating func string() -> String {
        let start = place + 1
        place = start
        while bytes[place] != UInt8(ascii: "\"") { place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1 }
        defer { place += 1 }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func skipBlanks() {
        while place < bytes.count, bytes[place].isBlank { place += 1 }
    }
}
