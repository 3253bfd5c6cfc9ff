// A store that does nothing but answer every key with one value, whose first eight bytes are the
// address where it lies: so a reader sees whether it was handed the very bytes. For bench_boundary,
// which calls it once as a loaded plugin and once as a C++ object.
#pragma once

#include <cstring>

#include "rhizome/store.hpp"

namespace rhizome::bench {

class FixedStore final : public plugin::Store {
 public:
  static Result<std::unique_ptr<plugin::Store>> open(ByteView, ByteView) {
    return std::unique_ptr<plugin::Store>(new FixedStore);
  }
  FixedStore() {
    const char* address = value_;
    std::memcpy(value_, &address, sizeof address);
  }
  Status write(std::span<const rz_store_op>, bool) override { return {}; }
  Status get(plugin::StoreSnapshot*, std::span<const rz_bytes> keys,
             const plugin::StoreFound& found) override;  // elsewhere, or a caller would inline it
  Result<std::unique_ptr<plugin::StoreSnapshot>> snapshot() override {
    return Status(Code::kUnsupported, "no snapshots here");
  }
  Result<std::unique_ptr<plugin::StoreCursor>> cursor(plugin::StoreSnapshot*, ByteView, ByteView,
                                                      bool) override {
    return Status(Code::kUnsupported, "no cursors here");
  }
  Result<std::uint64_t> approximate_size(ByteView, ByteView) override { return sizeof value_; }

 private:
  char value_[300] = {};
};

}  // namespace rhizome::bench
