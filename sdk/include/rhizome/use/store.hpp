// Using a store plugin from C++: owning handles over rhizome/abi/store.h. For the host's journal
// and the conformance suite; a plugin author needs rhizome/store.hpp instead. Thread tags are the
// table's.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/abi/store.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/host.hpp"
#include "rhizome/use/store_parts.hpp"
#include "rhizome/use/store_watch.hpp"

namespace rhizome::use {

// The tables of a store plugin. The optional ones are null where the plugin lacks them.
struct StoreTables {
  StoreTables(const rz_store* given,  // NOLINT(google-explicit-constructor)
              const rz_store_resolve* optional_resolve = nullptr,
              const rz_store_maintain* optional_maintain = nullptr)
      : store(given), resolve(optional_resolve), maintain(optional_maintain) {}
  const rz_store* store;
  const rz_store_resolve* resolve;
  const rz_store_maintain* maintain;
};

// An open store, closed by its destructor.
class Store {
 public:
  // `host` is what the store may ask for beside its state, which this class follows. It may be
  // null: the store then has no timers, for one.
  static Result<Store> open(StoreTables tables, InstanceHostPtr host,
                            const std::string& config_json, const std::string& directory) {
    auto watch = std::make_unique<StoreWatch>(host != nullptr ? host->table() : nullptr);
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code =
        tables.store->open(watch->host(), to_abi(config_json), to_abi(directory), &handle, &error);
    RZ_TRY(opened(code, error, host.get()));
    return Store(tables, handle, std::move(host), std::move(watch));
  }
  Store(Store&& other) noexcept
      : tables_(other.tables_),
        handle_(std::exchange(other.handle_, nullptr)),
        host_(std::move(other.host_)),
        watch_(std::move(other.watch_)),
        marker_(other.marker_),
        in_doubt_(other.in_doubt_) {}
  Store& operator=(Store&&) = delete;
  ~Store() {
    if (handle_ == nullptr) return;
    if (host_ != nullptr) host_->end_timers();
    tables_.store->close(handle_);
  }

  // The state that the store reports. Any thread.
  StoreWatch& watch() const { return *watch_; }

  Status write(const StoreBatch& batch, Durability durability) {
    return write(batch.ops(), durability);
  }
  // Each call has a marker of its own.
  Status write(std::span<const rz_store_op> ops, Durability durability) {
    next_marker();
    rz_store_batch batch{ops.data(), ops.size(), static_cast<std::uint32_t>(durability), 0, {}};
    std::memcpy(batch.marker, marker_.data(), marker_.size());
    rz_error error{};
    const std::int32_t code = tables_.store->write(handle_, &batch, &error);
    const bool untouched = code == RZ_INVALID || code == RZ_LIMIT || code == RZ_READ_ONLY;
    if (code != RZ_OK && !untouched) in_doubt_ = marker_;
    return Status::from_abi(code, error);
  }
  // Is the last batch whose `write` left that open applied after all? A store that does not offer
  // the table never applies a batch that failed. [writer]
  Result<bool> resolve() {
    if (tables_.resolve == nullptr) return false;
    rz_error error{};
    std::uint32_t applied = 0;
    const std::int32_t code = tables_.resolve->resolve(handle_, in_doubt_.data(), &applied, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return applied == 1;
  }
  // The value of one key; nullopt where there is none.
  Result<std::optional<std::string>> get(ByteView key) const {
    std::optional<std::string> found;
    RZ_TRY(get({&key, 1}, [&](std::size_t, ByteView value) { found = std::string(value); }));
    return found;
  }
  // Calls found(index, value) for each key that exists.
  template <typename Found>
  Status get(std::span<const ByteView> keys, Found&& found) const {
    std::vector<rz_bytes> abi_keys;
    abi_keys.reserve(keys.size());
    for (const ByteView key : keys) abi_keys.push_back(to_abi(key));
    const rz_store_found sink{&found, [](void* context, std::uint64_t index, rz_bytes value) {
                                (*static_cast<std::remove_reference_t<Found>*>(context))(
                                    static_cast<std::size_t>(index), rhizome::view(value));
                                return std::int32_t{RZ_OK};
                              }};
    rz_error error{};
    return Status::from_abi(
        tables_.store->get(handle_, abi_keys.data(), abi_keys.size(), &sink, &error), error);
  }
  // lower <= key < upper; an empty upper means to the end.
  Result<StoreCursor> cursor(ByteView lower, ByteView upper, bool reverse = false) const {
    rz_error error{};
    void* cursor = nullptr;
    const std::int32_t code = tables_.store->cursor_open(handle_, to_abi(lower), to_abi(upper),
                                                         reverse ? 1 : 0, &cursor, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Result<StoreCursor>(StoreCursor(tables_.store, cursor));
  }
  // kUnsupported where the plugin does not offer the table.
  Result<std::uint64_t> approximate_size(ByteView lower, ByteView upper) const {
    if (tables_.maintain == nullptr) return no_maintenance();
    rz_error error{};
    std::uint64_t bytes = 0;
    const std::int32_t code =
        tables_.maintain->approximate_size(handle_, to_abi(lower), to_abi(upper), &bytes, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return bytes;
  }
  Status compact() {
    if (tables_.maintain == nullptr) return no_maintenance();
    rz_error error{};
    return Status::from_abi(tables_.maintain->compact(handle_, {nullptr, 0}, {nullptr, 0}, &error),
                            error);
  }

  const StoreTables& tables() const { return tables_; }
  void* handle() const { return handle_; }

 private:
  Store(StoreTables tables, void* handle, InstanceHostPtr host, std::unique_ptr<StoreWatch> watch)
      : tables_(tables), handle_(handle), host_(std::move(host)), watch_(std::move(watch)) {
    std::random_device chance;
    for (std::size_t i = 0; i < 8; ++i) marker_[i] = static_cast<std::uint8_t>(chance());
  }
  static Status no_maintenance() {
    return {Code::kUnsupported, "the store plugin does not offer " RZ_STORE_MAINTAIN_ID};
  }
  // Eight random bytes of this opening, then a counter.
  void next_marker() {
    for (std::size_t i = marker_.size(); i-- > 8;)
      if (++marker_[i] != 0) break;
  }

  StoreTables tables_;
  void* handle_;
  InstanceHostPtr host_;
  std::unique_ptr<StoreWatch> watch_;
  std::array<std::uint8_t, RZ_STORE_MARKER_SIZE> marker_{};    // of the last write
  std::array<std::uint8_t, RZ_STORE_MARKER_SIZE> in_doubt_{};  // of the last that left it open
};

}  // namespace rhizome::use
