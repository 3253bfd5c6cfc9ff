// A store that does nothing but answer every key with one value, whose first eight bytes are the
// address where it lies: so a reader sees whether it was handed the very bytes. For bench_boundary,
// which calls it once as a loaded plugin and once as a C++ object.
#pragma once

#include <cstring>

#include "rhizome/store.hpp"

namespace rhizome::bench {

class FixedStore final : public plugin::Store {
 public:
  static Result<std::unique_ptr<plugin::Store>> open(plugin::Host, ByteView, ByteView) {
    return std::unique_ptr<plugin::Store>(new FixedStore);
  }
  FixedStore() {
    const char* address = value_;
    std::memcpy(value_, &address, sizeof address);
  }
  Status write(const plugin::StoreBatch&) override { return {}; }
  Status get(std::span<const rz_bytes> keys,
             const plugin::StoreFound& found) override;  // elsewhere, or a caller would inline it
  Result<std::unique_ptr<plugin::StoreCursor>> cursor(ByteView, ByteView, bool) override {
    return Status(Code::kUnsupported, "no cursors here");
  }

 private:
  char value_[300] = {};
};

}  // namespace rhizome::bench
