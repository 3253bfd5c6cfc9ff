// The operating system's file functions as the plugin under test calls them: counted, and made to
// fail. faults.cpp defines write, fsync and their kin in the suite's executable, which stands
// before libc in the order in which a loaded plugin's symbols are looked up. What a plugin writes
// by stdio, by a memory map or by system calls of its own is not seen here. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace rhizome::conformance::faults {

enum class Fault {
  kNone,
  kNoSpace,     // writes and allocations fail with ENOSPC
  kWriteFails,  // writes fail with EIO
  kSyncFails,   // syncs fail with EIO, once the data is written
};

struct Seen {
  std::uint64_t writes = 0, syncs = 0;  // since watch() or look_for()
  std::uint64_t failed = 0;             // calls that were made to fail
  bool needle_written = false;
  bool needle_synced = false;  // and its file was synced behind it
};

// From now on calls for files under this directory are counted.
void watch(const std::string& directory);
// Looks for these bytes in what is written; counts anew.
void look_for(const std::string& needle);
void inject(Fault fault);
Seen seen();
void stop();  // nothing is counted, nothing fails

}  // namespace rhizome::conformance::faults
