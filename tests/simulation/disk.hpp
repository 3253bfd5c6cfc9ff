// A simulated disk: a store over the memory plugin that knows what was synced. A power cut loses
// what was not, from some write on; a write may fail with an outcome that only the next open shows;
// from then on every write is refused. Used by simulation::Node; the test's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/abi/store.h"

namespace rhizome::simulation {

class Disk {
 public:
  // Chance comes from the seed: how much a power cut takes, what became of a write that failed.
  Disk(std::string name, std::uint64_t seed);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // The store plugin of simulated disks: its "directory" is a disk's name.
  static const rz_store* table();
  const std::string& name() const { return name_; }

  void detach() { ++lives_; }  // the process is gone: its open handle writes no more
  void cut_power();            // REQUIRES: detached. Loses some suffix of what was not synced.
  void wipe();                 // REQUIRES: no handle is open
  void fill(bool full) { full_ = full; }     // while full, writes fail for want of space
  void fail_next_write() { fails_ = true; }  // with an I/O error
  void forget_syncs() { forgets_ = true; }   // a bad disk, to see that its loss is noticed

  bool failed() const { return failed_; }  // this handle writes no more
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
  static Disk* find(const std::string& name);
  std::uint64_t draw();
  std::int32_t open(rz_error* error);
  std::int32_t write(const rz_store_op* ops, std::uint64_t count, bool synced, rz_error* error);
  std::int32_t apply(const rz_store_op* ops, std::uint64_t count, rz_error* error);
  void undo(const Undo& batch);
  void settle_failed_write();

  const std::string name_;
  std::uint64_t chance_;
  void* memory_ = nullptr;  // the memory plugin's store
  std::uint64_t lives_ = 0, lost_ = 0;
  bool full_ = false, fails_ = false, forgets_ = false, failed_ = false;
  std::vector<Undo> unsynced_;  // how to take back what was not synced, oldest first
  std::vector<Op> of_failed_;   // a failed write: the next open finds it or does not
};

}  // namespace rhizome::simulation
