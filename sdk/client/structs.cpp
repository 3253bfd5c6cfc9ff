// Sizes and tails.
#include "structs.hpp"

#include <algorithm>
#include <cstring>

namespace rhizome::client_core {

namespace {

constexpr std::uint64_t kMaxStruct = 4096;  // more is a member that was never set

template <typename... Structs>
constexpr bool kAreNoSmaller = ((sizeof(Structs) >= kShape<Structs>.first) && ...);
static_assert(
    kAreNoSmaller<rz_client_options, rz_confirm, rz_role, rz_draft, rz_write, rz_import, rz_negate,
                  rz_read, rz_get, rz_query, rz_subscription, rz_extent, rz_request, rz_event>);

}  // namespace

Status check_size(std::uint64_t size, const Shape& shape) {
  if (size >= shape.first && size <= kMaxStruct && size % 8 == 0) return {};
  return {Code::kInvalid, std::string(shape.name) + ": expected a struct_size or stride of " +
                              std::to_string(shape.first) + " or more, found " +
                              std::to_string(size)};
}

Status check_array(const void* first, std::uint64_t count, std::uint64_t stride,
                   const Shape& shape) {
  if (count == 0) return {};
  if (first != nullptr) return check_size(stride, shape);
  return {Code::kInvalid, std::string(shape.name) + ": expected " + std::to_string(count) +
                              " elements, found NULL"};
}

Status copy_struct(const void* given, std::uint64_t size, const Shape& shape, void* known,
                   std::uint64_t known_size) {
  std::memset(known, 0, known_size);
  std::memcpy(known, given, std::min(size, known_size));
  const auto* const bytes = static_cast<const char*>(given);
  for (std::uint64_t at = known_size; at < size; ++at)
    if (bytes[at] != 0)
      return {Code::kUnsupported, std::string(shape.name) + ": this library knows " +
                                      std::to_string(known_size) +
                                      " bytes of it, and a later member is set; expected a newer "
                                      "librhizome-client"};
  return {};
}

}  // namespace rhizome::client_core
