import Glibc

/// What only the start needed of the program's own text: reading the configuration, the runtime's look through every
/// conformance, relocations. The kernel keeps such pages resident until it is short of memory; half of an idle node was
/// that.
enum StartupMemory {
    /// Lets go of the pages that hold code. Those that are run again come back from the page cache, a few microseconds
    /// each.
    static func release() {
        // Of code alone: what the linker has written, such as relocated tables, is in no file.
        guard let maps = fopen("/proc/self/maps", "r") else { return }
        defer { fclose(maps) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, maps) > 0, let text = line {
            guard let range = codeRange(String(cString: text)) else { continue }
            madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), Int(range.count), MADV_DONTNEED)
        }
    }

    /// `55e0a8c00000-55e0ab018000 r-xp 00000000 fe:00 1234 /usr/bin/patchbay`; nil for what is not code from a file.
    static func codeRange(_ line: String) -> Range<UInt>? {
        let columns = line.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard columns.count >= 6, columns[1] == "r-xp", columns[5].hasPrefix("/") else { return nil }
        let ends = columns[0].split(separator: "-")
        guard ends.count == 2, let start = UInt(ends[0], radix: 16), let end = UInt(ends[1], radix: 16), start < end
        else { return nil }
        return start..<end
    }
}
