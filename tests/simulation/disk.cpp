// The simulated disk as a store table: writes are watched, everything else is the memory plugin's.
#include "simulation/disk.hpp"

#include <map>
#include <memory>

#include "rhizome/bytes.hpp"
#include "simulation/plugins.hpp"

namespace rhizome::simulation {

namespace {

std::map<std::string, Disk*>& disks() {
  static std::map<std::string, Disk*> all;
  return all;
}

std::int32_t fail(rz_error* error, std::int32_t code, std::string_view why) {
  if (error == nullptr) return code;
  const std::size_t size = std::min(why.size(), sizeof error->message - 1);
  std::copy_n(why.data(), size, error->message);
  error->message[size] = '\0';
  return code;
}

}  // namespace

// One open store; what a life of a node writes by.
struct Disk::Handle {
  Disk* disk;
  std::uint64_t life;
};

struct DiskTable {
  static Disk& of(void* handle) { return *static_cast<Disk::Handle*>(handle)->disk; }
  static void* memory(void* handle) { return of(handle).memory_; }

  static std::int32_t open(rz_bytes directory, rz_bytes, void** store, rz_error* error) {
    Disk* disk = Disk::find(std::string(view(directory)));
    if (disk == nullptr) return fail(error, RZ_NOT_FOUND, "no simulated disk of this name");
    const std::int32_t code = disk->open(error);
    if (code == RZ_OK) *store = new Disk::Handle{disk, disk->lives_};
    return code;
  }
  static void close(void* handle) { delete static_cast<Disk::Handle*>(handle); }
  static std::int32_t write(void* handle, const rz_store_op* ops, std::uint64_t count,
                            std::uint32_t durability, rz_error* error) {
    Disk& disk = of(handle);
    if (static_cast<Disk::Handle*>(handle)->life != disk.lives_)
      return fail(error, RZ_READ_ONLY, "simulated disk: this process has ended");
    return disk.write(ops, count, durability == RZ_STORE_SYNCED, error);
  }
  static std::int32_t get(void* handle, void* snapshot, const rz_bytes* keys, std::uint64_t count,
                          const rz_store_found* found, rz_error* error) {
    return store_table()->get(memory(handle), snapshot, keys, count, found, error);
  }
  static std::int32_t snapshot_open(void* handle, void** snapshot, rz_error* error) {
    return store_table()->snapshot_open(memory(handle), snapshot, error);
  }
  static void snapshot_close(void* handle, void* snapshot) {
    store_table()->snapshot_close(memory(handle), snapshot);
  }
  static std::int32_t cursor_open(void* handle, void* snapshot, rz_bytes lower, rz_bytes upper,
                                  std::uint32_t reverse, void** cursor, rz_error* error) {
    return store_table()->cursor_open(memory(handle), snapshot, lower, upper, reverse, cursor,
                                      error);
  }
  static std::int32_t cursor_next(void* cursor, rz_store_entry* entries, std::uint64_t capacity,
                                  std::uint64_t* count, rz_error* error) {
    return store_table()->cursor_next(cursor, entries, capacity, count, error);
  }
  static void cursor_close(void* cursor) { store_table()->cursor_close(cursor); }
  static std::int32_t approximate_size(void* handle, rz_bytes lower, rz_bytes upper,
                                       std::uint64_t* bytes, rz_error* error) {
    return store_table()->approximate_size(memory(handle), lower, upper, bytes, error);
  }
  static std::int32_t compact(void* handle, rz_bytes lower, rz_bytes upper, rz_error* error) {
    return store_table()->compact(memory(handle), lower, upper, error);
  }
};

const rz_store* Disk::table() {
  static constexpr rz_store kTable = {DiskTable::open,          DiskTable::close,
                                      DiskTable::write,         DiskTable::get,
                                      DiskTable::snapshot_open, DiskTable::snapshot_close,
                                      DiskTable::cursor_open,   DiskTable::cursor_next,
                                      DiskTable::cursor_close,  DiskTable::approximate_size,
                                      DiskTable::compact};
  return &kTable;
}

Disk::Disk(std::string name, std::uint64_t seed) : name_(std::move(name)), chance_(seed) {
  disks()[name_] = this;
  wipe();
}

Disk::~Disk() {
  disks().erase(name_);
  store_table()->close(memory_);
}

Disk* Disk::find(const std::string& name) {
  const auto found = disks().find(name);
  return found == disks().end() ? nullptr : found->second;
}

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t Disk::draw() {
  std::uint64_t z = (chance_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

void Disk::wipe() {
  if (memory_ != nullptr) store_table()->close(memory_);
  memory_ = nullptr;
  rz_error error{};
  if (store_table()->open({nullptr, 0}, {"{}", 2}, &memory_, &error) != RZ_OK)
    throw std::runtime_error(error.message);
  unsynced_.clear();
  of_failed_.clear();
}

std::int32_t Disk::open(rz_error* error) {
  if (full_) return fail(error, RZ_NO_SPACE, "simulated disk: full");
  settle_failed_write();
  failed_ = fails_ = false;
  return RZ_OK;
}

void Disk::settle_failed_write() {
  std::vector<Op> pending;
  pending.swap(of_failed_);
  if (pending.empty() || draw() % 2 == 0) return;
  std::vector<rz_store_op> ops;
  for (const Op& op : pending) ops.push_back({op.kind, 0, to_abi(op.key), to_abi(op.value)});
  rz_error error{};
  if (apply(ops.data(), ops.size(), &error) != RZ_OK) throw std::runtime_error(error.message);
}

std::int32_t Disk::write(const rz_store_op* ops, std::uint64_t count, bool synced,
                         rz_error* error) {
  if (failed_) return fail(error, RZ_READ_ONLY, "simulated disk: read-only since a write failed");
  if (full_ || fails_) {
    failed_ = true;
    for (std::uint64_t i = 0; i < count; ++i)
      of_failed_.push_back(
          {ops[i].kind, std::string(view(ops[i].key)), std::string(view(ops[i].value))});
    return full_ ? fail(error, RZ_NO_SPACE, "simulated disk: full")
                 : fail(error, RZ_IO, "simulated disk: input/output error");
  }
  const std::int32_t code = apply(ops, count, error);
  if (code == RZ_OK && synced && !forgets_) unsynced_.clear();
  return code;
}

std::int32_t Disk::apply(const rz_store_op* ops, std::uint64_t count, rz_error* error) {
  Undo before;
  std::vector<rz_bytes> keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    keys.push_back(ops[i].key);
    before.emplace_back(std::string(view(ops[i].key)), std::nullopt);
  }
  const rz_store_found found{&before, [](void* context, std::uint64_t index, rz_bytes value) {
                               (*static_cast<Undo*>(context))[index].second = view(value);
                               return std::int32_t{RZ_OK};
                             }};
  std::int32_t code = store_table()->get(memory_, nullptr, keys.data(), count, &found, error);
  if (code == RZ_OK) code = store_table()->write(memory_, ops, count, RZ_STORE_BUFFERED, error);
  if (code == RZ_OK) unsynced_.push_back(std::move(before));
  return code;
}

void Disk::undo(const Undo& batch) {
  std::vector<rz_store_op> ops;
  for (auto entry = batch.rbegin(); entry != batch.rend(); ++entry) {
    const auto& [key, value] = *entry;
    ops.push_back(value ? rz_store_op{RZ_STORE_PUT, 0, to_abi(key), to_abi(*value)}
                        : rz_store_op{RZ_STORE_DELETE, 0, to_abi(key), {nullptr, 0}});
  }
  rz_error error{};
  if (store_table()->write(memory_, ops.data(), ops.size(), RZ_STORE_BUFFERED, &error) != RZ_OK)
    throw std::runtime_error(error.message);
}

void Disk::cut_power() {
  const std::size_t keep = unsynced_.empty() ? 0 : draw() % (unsynced_.size() + 1);
  if (keep < unsynced_.size()) of_failed_.clear();  // it came behind what is lost
  lost_ += unsynced_.size() - keep;
  while (unsynced_.size() > keep) {
    undo(unsynced_.back());
    unsynced_.pop_back();
  }
  unsynced_.clear();  // what survived a power cut is on the platter
}

}  // namespace rhizome::simulation
