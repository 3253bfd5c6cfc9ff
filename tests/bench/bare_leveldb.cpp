// LevelDB as stores/leveldb opens it, without the plugin, the journal or the locks around it.
#include "bare_leveldb.hpp"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <cstdlib>

namespace rhizome::bench {

namespace {

leveldb::Slice slice(rz_bytes bytes) {
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

const rz_store* below_table = nullptr;
std::vector<RecordedBatch>* recorded = nullptr;

// A batch's representation: sequence (8), count (4), then its entries; public by ApproximateSize
// only, so the entries are kept in a form of our own: kind, key size, value size, key, value.
void record(const rz_store_op* ops, std::uint64_t count) {
  RecordedBatch batch;
  const auto number = [&](std::uint64_t value) {
    batch.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    number(ops[i].kind);
    number(ops[i].key.size);
    number(ops[i].value.size);
    batch.append(slice(ops[i].key).ToString()).append(slice(ops[i].value).ToString());
  }
  recorded->push_back(std::move(batch));
}

void check(const leveldb::Status& status) {
  if (!status.ok()) std::abort();
}

}  // namespace

const rz_store* recording_table(const rz_store* below, std::vector<RecordedBatch>* writes) {
  static rz_store table;
  below_table = below;
  recorded = writes;
  table = *below;
  table.write = [](void* store, const rz_store_batch* batch, rz_error* error) {
    record(batch->ops, batch->count);
    return below_table->write(store, batch, error);
  };
  return &table;
}

BareLevelDb::BareLevelDb(const std::string& directory)
    : cache_(leveldb::NewLRUCache(32u << 20)), filter_(leveldb::NewBloomFilterPolicy(10)) {
  leveldb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_size = 16u << 20;
  options.block_cache = cache_.get();
  options.filter_policy = filter_.get();
  options.max_open_files = 256;
  options.compression = leveldb::kNoCompression;
  leveldb::DB* db = nullptr;
  check(leveldb::DB::Open(options, directory, &db));
  db_.reset(db);
}

BareLevelDb::~BareLevelDb() { db_.reset(); }

void BareLevelDb::write(const RecordedBatch& recorded_batch, bool synced) {
  leveldb::WriteBatch batch;
  const char* at = recorded_batch.data();
  const char* end = at + recorded_batch.size();
  while (at != end) {
    std::uint64_t head[3];
    __builtin_memcpy(head, at, sizeof head);
    at += sizeof head;
    const leveldb::Slice key(at, head[1]), value(at + head[1], head[2]);
    head[0] == RZ_STORE_PUT ? batch.Put(key, value) : batch.Delete(key);
    at += head[1] + head[2];
  }
  leveldb::WriteOptions how;
  how.sync = synced;
  check(db_->Write(how, &batch));
}

void BareLevelDb::compact() { db_->CompactRange(nullptr, nullptr); }

}  // namespace rhizome::bench
