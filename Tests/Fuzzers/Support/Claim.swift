import Glibc

/// Ends the process where something that must be so is not. libFuzzer then keeps the input.
func claim(_ holds: Bool, _ words: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line) {
    guard !holds else { return }
    say("NOT SO: \(words()) (\(file):\(line))")
    abort()
}

/// Writes a line to standard error.
func say(_ words: String) {
    let line = Array("\(words)\n".utf8)
    write(STDERR_FILENO, line, line.count)
}

/// The claim of whoever passes ids on: what an upstream is told can stand in a header and in a log.
func isClean(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
}
