// A simulated disk: a store over the memory plugin that knows what was synced. A power cut loses
// what was not, from some write on. A write may fail with an outcome that shows only when the disk
// works again; until then every write is refused. It may also go away, as a remote store does, in
// the middle of a write or between two. Used by simulation::Node; the test's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rhizome/use/store.hpp"

namespace rhizome::simulation {

class Disk {
 public:
  // Chance comes from the seed: how much a power cut takes, what became of a write that failed.
  Disk(std::string name, std::uint64_t seed);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // The store plugin of simulated disks: its "directory" is a disk's name.
  static use::StoreTables table();
  const std::string& name() const { return name_; }

  void detach() { ++lives_; }    // the process is gone: its open handle writes no more
  void cut_power();              // REQUIRES: detached. Loses some suffix of what was not synced.
  void wipe();                   // REQUIRES: no handle is open
  void fill() { full_ = true; }  // writes fail for want of space
  void fail_next_write() { fails_ = true; }  // with an I/O error
  void go_away();                            // reads and writes answer RZ_AWAY
  // The same in the middle of the next write, which is applied or is not.
  void go_away_in_write(bool applied) { ends_ = applied; }
  void works_again();  // there is space, nothing fails, it is back; an open store is READY
  void forget_syncs() { forgets_ = true; }  // a bad disk, to see that its loss is noticed

  void reveal(bool all) { revealed_ = all; }  // for the test's own reads: also while it is away

  bool failed() const { return failed_; }  // no write works before works_again()
  std::size_t unsynced() const { return unsynced_.size(); }
  std::uint64_t lost_writes() const { return lost_; }  // by power cuts

 private:
  struct Handle;
  friend struct DiskTable;
  struct Op {
    std::uint32_t kind;
    std::string key, value;
  };
  using Undo = std::vector<std::pair<std::string, std::optional<std::string>>>;
  bool unreadable() const { return away_ && !revealed_; }
  static Disk* find(const std::string& name);
  std::uint64_t draw();
  std::int32_t open(rz_error* error);
  std::int32_t write(const rz_store_batch& batch, rz_error* error);
  std::int32_t store(const rz_store_batch& batch, rz_error* error);
  std::int32_t apply(std::span<const rz_store_op> ops, rz_error* error);
  std::int32_t write_memory(std::span<const rz_store_op> ops, rz_error* error);
  void report(std::uint32_t state, std::string_view cause) const;
  bool applied(std::string_view marker) const;
  void undo(const Undo& batch);
  void settle_failed_write();

  const std::string name_;
  std::uint64_t chance_;
  void* memory_ = nullptr;  // the memory plugin's store
  std::uint64_t lives_ = 0, lost_ = 0;
  Handle* handle_ = nullptr;  // the newest that is open
  bool full_ = false, fails_ = false, forgets_ = false, failed_ = false, away_ = false,
       revealed_ = false;
  std::optional<bool> ends_;    // the next write is applied (or not), and the disk goes away
  std::vector<Undo> unsynced_;  // how to take back what was not synced, oldest first
  std::vector<Op> of_failed_;   // a failed write, until it is known whether it is there
  std::string failed_marker_;   // of the last failed write
  bool failed_applied_ = false;
};

}  // namespace rhizome::simulation
