import CFuzzer
import Foundation

// Fuzz --list                   the names of all fuzzers
// Fuzz --prepare NAME FOLDER    writes NAME's seeds to FOLDER/seeds, and its dictionary to FOLDER/words
// Fuzz NAME [OPTION...]         runs it; the options are libFuzzer's

/// What the function that libFuzzer calls runs: it takes no context.
enum Running {
    nonisolated(unsafe) static var fuzzer: Fuzzer?
}

func fuzzer(named name: String) -> Fuzzer {
    guard let fuzzer = Fuzzer.all.first(where: { $0.name == name }) else {
        say("Fuzz: there is no fuzzer \(name)")
        exit(64)
    }
    return fuzzer
}

func prepare(_ fuzzer: Fuzzer, in folder: URL) throws {
    let seeds = folder.appending(path: "seeds")
    try FileManager.default.createDirectory(at: seeds, withIntermediateDirectories: true)
    let repository = Repository()
    for (number, seed) in (try fuzzer.seeds(repository) + repository.findings(of: fuzzer.name)).enumerated() {
        try Data(seed).write(to: seeds.appending(path: "\(number)"))
    }
    let words = fuzzer.words.map { word in
        // libFuzzer reads C's escapes of bytes, and a word of one byte is no help to it.
        "\"" + word.utf8.map { "\\x" + String(Int($0) + 256, radix: 16).dropFirst() }.joined() + "\"\n"
    }
    try Data(words.joined().utf8).write(to: folder.appending(path: "words"))
}

func run(_ fuzzer: Fuzzer) -> Int32 {
    Running.fuzzer = fuzzer
    var arguments = [CommandLine.arguments[0], "-max_len=\(fuzzer.mostBytes)"] + CommandLine.arguments.dropFirst(2)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    arguments.removeAll()
    var count = Int32(pointers.count - 1)
    return pointers.withUnsafeMutableBufferPointer { pointers in
        var base = pointers.baseAddress
        return withUnsafeMutablePointer(to: &base) { base in
            base.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
                LLVMFuzzerRunDriver(&count, $0) { bytes, count in
                    var input = Input(Array(UnsafeBufferPointer(start: bytes, count: count)))
                    Running.fuzzer?.run(&input)
                    return 0
                }
            }
        }
    }
}

let arguments = CommandLine.arguments
switch arguments.dropFirst().first {
case "--list":
    for fuzzer in Fuzzer.all { print(fuzzer.name) }
case "--prepare" where arguments.count == 4:
    try prepare(fuzzer(named: arguments[2]), in: URL(filePath: arguments[3]))
case let name? where !name.hasPrefix("-"):
    exit(run(fuzzer(named: name)))
default:
    say("usage: Fuzz --list | --prepare NAME FOLDER | NAME [OPTION...]")
    exit(64)
}
