// Using a resolver plugin from C++: owning handles over rhizome/abi/resolver.h. For the host.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "rhizome/abi/resolver.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::use {

// One resolver with its options. Immutable; any thread.
class Resolver {
 public:
  // kNotFound for an unknown name: the message lists the known ones.
  static Result<Resolver> create(const rz_resolver* table, ByteView name, ByteView options = "{}") {
    rz_error error{};
    void* handle = nullptr;
    const std::int32_t code = table->create(to_abi(name), to_abi(options), &handle, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return Resolver(table, handle);
  }
  Resolver(Resolver&& other) noexcept
      : table_(other.table_), handle_(std::exchange(other.handle_, nullptr)) {}
  Resolver& operator=(Resolver&&) = delete;
  ~Resolver() {
    if (handle_ != nullptr) table_->release(handle_);
  }

  // The value as JSON; nullopt where the property has none.
  Result<std::optional<std::string>> resolve(std::span<const rz_candidate> candidates) const {
    std::optional<std::string> value;
    const rz_sink sink{&value, [](void* context, rz_bytes chunk) {
                         auto& text = *static_cast<std::optional<std::string>*>(context);
                         if (!text) text.emplace();
                         text->append(view(chunk));
                         return std::int32_t{RZ_OK};
                       }};
    rz_error error{};
    const std::int32_t code =
        table_->resolve(handle_, candidates.data(), candidates.size(), &sink, &error);
    if (code != RZ_OK) return Status::from_abi(code, error);
    return value;
  }

 private:
  Resolver(const rz_resolver* table, void* handle) : table_(table), handle_(handle) {}
  const rz_resolver* table_;
  void* handle_;
};

}  // namespace rhizome::use
