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

const rz_host kNoServices = {nullptr, [](void*, const char*) -> const void* { return nullptr; }};

std::int32_t fail(rz_error* error, std::int32_t code, std::string_view why) {
  if (error == nullptr) return code;
  const std::size_t size = std::min(why.size(), sizeof error->message - 1);
  std::copy_n(why.data(), size, error->message);
  error->message[size] = '\0';
  return code;
}

}  // namespace

// One open store: of one run of a node's process.
struct Disk::Handle {
  Disk* disk;
  std::uint64_t life;
  const rz_host_store* follower;  // hears the state; may be null
};

struct DiskTable {
  static Disk::Handle& handle(void* store) { return *static_cast<Disk::Handle*>(store); }
  static Disk& of(void* store) { return *handle(store).disk; }
  static void* memory(void* store) { return of(store).memory_; }

  static std::int32_t open(const rz_host* host, rz_bytes, rz_bytes directory, void** store,
                           rz_error* error) {
    Disk* disk = Disk::find(std::string(view(directory)));
    if (disk == nullptr) return fail(error, RZ_NOT_FOUND, "no simulated disk of this name");
    const std::int32_t code = disk->open(error);
    if (code != RZ_OK) return code;
    const auto* follower =
        static_cast<const rz_host_store*>(host->get_interface(host->context, RZ_HOST_STORE_ID));
    auto* made = new Disk::Handle{disk, disk->lives_, follower};
    disk->handle_ = made;
    *store = made;
    return RZ_OK;
  }
  static void close(void* store) {
    if (of(store).handle_ == store) of(store).handle_ = nullptr;
    delete &handle(store);
  }
  static std::int32_t write(void* store, const rz_store_batch* batch, rz_error* error) {
    if (handle(store).life != of(store).lives_)
      return fail(error, RZ_READ_ONLY, "simulated disk: this process has ended");
    return of(store).write(*batch, error);
  }
  static std::int32_t get(void* store, const rz_bytes* keys, std::uint64_t count,
                          const rz_store_found* found, rz_error* error) {
    if (of(store).unreadable()) return fail(error, RZ_AWAY, "simulated disk: away");
    return store_table()->get(memory(store), keys, count, found, error);
  }
  static std::int32_t cursor_open(void* store, rz_bytes lower, rz_bytes upper,
                                  std::uint32_t reverse, void** cursor, rz_error* error) {
    if (of(store).unreadable()) return fail(error, RZ_AWAY, "simulated disk: away");
    return store_table()->cursor_open(memory(store), lower, upper, reverse, cursor, error);
  }
  static std::int32_t cursor_next(void* cursor, rz_store_entry* entries, std::uint64_t capacity,
                                  std::uint64_t* count, rz_error* error) {
    return store_table()->cursor_next(cursor, entries, capacity, count, error);
  }
  static void cursor_close(void* cursor) { store_table()->cursor_close(cursor); }
  static std::int32_t resolve(void* store, const std::uint8_t* marker, std::uint32_t* applied,
                              rz_error* error) {
    if (of(store).unreadable()) return fail(error, RZ_AWAY, "simulated disk: away");
    *applied = of(store).applied(view(marker, RZ_STORE_MARKER_SIZE)) ? 1 : 0;
    return RZ_OK;
  }
};

use::StoreTables Disk::table() {
  static constexpr rz_store kTable = {
      DiskTable::open,        DiskTable::close,       DiskTable::write,       DiskTable::get,
      DiskTable::cursor_open, DiskTable::cursor_next, DiskTable::cursor_close};
  static constexpr rz_store_resolve kResolve = {DiskTable::resolve};
  return {&kTable, &kResolve};
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
  if (store_table()->open(&kNoServices, {"{}", 2}, {nullptr, 0}, &memory_, &error) != RZ_OK)
    throw std::runtime_error(error.message);
  unsynced_.clear();
  of_failed_.clear();
  failed_marker_.clear();
}

std::int32_t Disk::open(rz_error* error) {
  if (away_) return fail(error, RZ_AWAY, "simulated disk: away");
  if (full_) return fail(error, RZ_NO_SPACE, "simulated disk: full");
  settle_failed_write();
  failed_ = fails_ = false;
  return RZ_OK;
}

void Disk::report(std::uint32_t state, std::string_view cause) const {
  if (handle_ != nullptr && handle_->life == lives_ && handle_->follower != nullptr)
    handle_->follower->state(handle_->follower->context, state, to_abi(cause));
}

void Disk::go_away() {
  away_ = failed_ = true;
  report(RZ_STORE_AWAY, "simulated disk: the connection ended");
}

void Disk::works_again() {
  full_ = fails_ = away_ = false;
  ends_.reset();
  if (!failed_) return;
  settle_failed_write();
  failed_ = false;
  report(RZ_STORE_READY, "");
}

// The write that failed is there or is not, from now on.
void Disk::settle_failed_write() {
  std::vector<Op> pending;
  pending.swap(of_failed_);
  if (pending.empty()) return;
  failed_applied_ = draw() % 2 != 0;
  if (!failed_applied_) return;
  std::vector<rz_store_op> ops;
  for (const Op& op : pending) ops.push_back({op.kind, 0, to_abi(op.key), to_abi(op.value)});
  rz_error error{};
  if (apply(ops, &error) != RZ_OK) throw std::runtime_error(error.message);
}

bool Disk::applied(std::string_view marker) const {
  return marker == failed_marker_ && failed_applied_;
}

std::int32_t Disk::write(const rz_store_batch& batch, rz_error* error) {
  if (away_) return fail(error, RZ_AWAY, "simulated disk: away");
  if (failed_) return fail(error, RZ_READ_ONLY, "simulated disk: read-only since a write failed");
  const std::span<const rz_store_op> ops(batch.ops, static_cast<std::size_t>(batch.count));
  if (ends_ || full_ || fails_) failed_marker_ = view(batch.marker, sizeof batch.marker);
  if (ends_) {
    failed_applied_ = *ends_;
    ends_.reset();
    if (failed_applied_)
      if (const std::int32_t code = store(batch, error); code != RZ_OK) return code;
    go_away();
    return fail(error, RZ_AWAY, "simulated disk: the connection ended within a write");
  }
  if (full_ || fails_) {
    failed_ = true;
    failed_applied_ = false;
    for (const rz_store_op& op : ops)
      of_failed_.push_back({op.kind, std::string(view(op.key)), std::string(view(op.value))});
    const std::string_view cause =
        full_ ? "simulated disk: full" : "simulated disk: input/output error";
    report(RZ_STORE_READ_ONLY, cause);
    return fail(error, full_ ? RZ_NO_SPACE : RZ_IO, cause);
  }
  return store(batch, error);
}

std::int32_t Disk::store(const rz_store_batch& batch, rz_error* error) {
  const std::int32_t code = apply({batch.ops, static_cast<std::size_t>(batch.count)}, error);
  if (code == RZ_OK && batch.durability == RZ_STORE_SYNCED && !forgets_) unsynced_.clear();
  return code;
}

// The memory plugin's write.
std::int32_t Disk::write_memory(std::span<const rz_store_op> ops, rz_error* error) {
  const rz_store_batch batch{ops.data(), ops.size(), RZ_STORE_BUFFERED, 0, {}};
  return store_table()->write(memory_, &batch, error);
}

std::int32_t Disk::apply(std::span<const rz_store_op> ops, rz_error* error) {
  Undo before;
  std::vector<rz_bytes> keys;
  for (const rz_store_op& op : ops) {
    keys.push_back(op.key);
    before.emplace_back(std::string(view(op.key)), std::nullopt);
  }
  const rz_store_found found{&before, [](void* context, std::uint64_t index, rz_bytes value) {
                               (*static_cast<Undo*>(context))[index].second = view(value);
                               return std::int32_t{RZ_OK};
                             }};
  std::int32_t code = store_table()->get(memory_, keys.data(), keys.size(), &found, error);
  if (code == RZ_OK) code = write_memory(ops, error);
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
  if (!ops.empty() && write_memory(ops, &error) != RZ_OK) throw std::runtime_error(error.message);
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
