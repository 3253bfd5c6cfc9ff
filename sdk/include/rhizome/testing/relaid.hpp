// For tests alone: a flat delta as a later writer would lay it out, with a larger header and larger
// pointers. Whoever finds pointers by header_size and pointer_stride reads it like the original.
#pragma once

#include <cstring>
#include <vector>

#include "rhizome/delta/flat.hpp"

namespace rhizome::testing_support {

class Relaid {
 public:
  explicit Relaid(DeltaView delta, std::uint16_t more_header = 16,
                  std::uint16_t more_pointer = 24) {
    rz_delta head = *delta.raw();
    const std::size_t header = sizeof head + more_header,
                      stride = sizeof(rz_pointer) + more_pointer;
    const std::size_t claims = header + delta.size() * stride;
    const auto shift = static_cast<std::uint32_t>(claims - head.claims_offset);
    words_.assign((claims + head.claims_size + 7) / 8, 0xA5A5A5A5A5A5A5A5u);
    for (std::size_t i = 0; i < delta.size(); ++i) {
      rz_pointer pointer = *rz_delta_pointer(delta.raw(), static_cast<std::uint32_t>(i));
      const bool has_text = pointer.kind != RZ_TARGET_NUMBER && pointer.kind != RZ_TARGET_BOOLEAN;
      pointer.role_offset += shift;
      pointer.target_offset += has_text ? shift : 0;
      pointer.context_offset += pointer.context_size != 0 ? shift : 0;
      std::memcpy(bytes() + header + i * stride, &pointer, sizeof pointer);
    }
    head.block_size = static_cast<std::uint32_t>(words_.size() * 8);
    head.claims_offset += shift;
    head.author_offset += shift;
    head.header_size = static_cast<std::uint16_t>(header);
    head.pointer_stride = static_cast<std::uint16_t>(stride);
    std::memcpy(bytes(), &head, sizeof head);
    std::memcpy(bytes() + claims, delta.claims().data(), delta.claims().size());
  }
  const rz_delta* block() const { return reinterpret_cast<const rz_delta*>(words_.data()); }
  DeltaView view() const { return DeltaView(block()); }

 private:
  char* bytes() { return reinterpret_cast<char*>(words_.data()); }
  std::vector<std::uint64_t> words_;
};

}  // namespace rhizome::testing_support
