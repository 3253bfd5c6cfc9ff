// Bare LevelDB with the options of stores/leveldb, and the batches that a journal wrote, recorded:
// what the journal is measured beside. Used by the benches, on their threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rhizome/abi/store.h"

namespace leveldb {
class Cache;
class DB;
class FilterPolicy;
}  // namespace leveldb

namespace rhizome::bench {

// One write batch in LevelDB's own form.
using RecordedBatch = std::string;

// A store table that hands everything on to `below` and keeps each write's entries.
const rz_store* recording_table(const rz_store* below, std::vector<RecordedBatch>* writes);

class BareLevelDb {
 public:
  explicit BareLevelDb(const std::string& directory);
  ~BareLevelDb();
  void write(const RecordedBatch& batch, bool synced);
  void compact();

 private:
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace rhizome::bench
