import Glibc

// A disk that fills up: appends are refused while there is still room to fold what was delivered, and to forget it.

extension Store {
    /// As far as is known.
    var isRoomShort: Bool { room < settings.reserveBytes }

    func checkRoom() throws {
        room = settings.room(file.path)
        guard isRoomShort else { return }
        throw WriteFailure(full: noRoom(room, of: settings))
    }

    /// Empties the log. Where that is not enough, writes a few slices of what was delivered and forgets the oldest of
    /// it, each time from an empty log.
    func makeRoom() throws {
        let now = settings.clock()
        for _ in 0..<8 {
            guard try file.emptyLog() else { return }
            logBytes = 0
            room = settings.room(file.path)
            guard isRoomShort else { return }
            if ledger.unfolded.count > 0 {
                // Of few: what they leave of the log is let go at once.
                ledger.unfolded.disarrange()
                foldSlice(arranging: settings.foldSlice, at: now)
                trim.isWorthIt = true
            }
            trimSome(at: now)
        }
    }
}

func noRoom(_ room: Int, of settings: OutboxSettings) -> String {
    "\(room) bytes free on the disk, \(settings.reserveBytes) have to be"
}

/// Bytes that a process without privileges may still write to the disk that a file is on; as many as there can be where
/// that is not told.
func roomOnDisk(_ path: String) -> Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return .max }
    return Int(clamping: status.f_bavail) * Int(clamping: status.f_frsize)
}
