// Structs of callers that may be older or newer than this library (rhizome/client.h, "Growth"), as
// this library knows them. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "rhizome/client.h"
#include "rhizome/status.hpp"

namespace rhizome::client_core {

// What a struct has for a name in messages, how large its first version was, and which flags this
// library knows. `first` never changes, though the struct grows.
struct Shape {
  const char* name;
  std::uint32_t first;
  std::uint32_t flags;
};

template <typename Struct>
constexpr Shape kShape = {};
template <>
inline constexpr Shape kShape<rz_client_options> = {"rz_client_options", 48, 0};
template <>
inline constexpr Shape kShape<rz_confirm> = {"rz_confirm", 32, 0};
template <>
inline constexpr Shape kShape<rz_role> = {"rz_draft.pointer_stride", 64, 0};
template <>
inline constexpr Shape kShape<rz_draft> = {"rz_write.draft_stride", 32, 0};
template <>
inline constexpr Shape kShape<rz_write> = {"rz_write", 40, RZ_WRITE_TRANSACTION | RZ_WRITE_REPLACE};
template <>
inline constexpr Shape kShape<rz_import> = {"rz_import", 32, 0};
template <>
inline constexpr Shape kShape<rz_negate> = {"rz_negate", 40, 0};
template <>
inline constexpr Shape kShape<rz_read> = {"rz_read", 48, 0};
template <>
inline constexpr Shape kShape<rz_get> = {"rz_get", 64, RZ_GET_LOSSLESS};
template <>
inline constexpr Shape kShape<rz_query> = {"rz_query", 112, RZ_QUERY_EXTENT};
template <>
inline constexpr Shape kShape<rz_subscription> = {"rz_subscription", 72, RZ_SUBSCRIBE_FROM_NOW};
template <>
inline constexpr Shape kShape<rz_extent> = {"rz_extent", 24, 0};
template <>
inline constexpr Shape kShape<rz_request> = {"rz_request", 48, 0};
template <>
inline constexpr Shape kShape<rz_event> = {"rz_event", 112, 0};

// kInvalid for a size that the struct never had.
Status check_size(std::uint64_t size, const Shape& shape);
// Copies what both sides know; the rest of `known` is zero. kUnsupported where the caller's struct
// has more, and not zero.
Status copy_struct(const void* given, std::uint64_t size, const Shape& shape, void* known,
                   std::uint64_t known_size);

// A struct that says its size and has flags.
template <typename Struct>
Status take_struct(const Struct* given, Struct& known) {
  constexpr const Shape& shape = kShape<Struct>;
  RZ_TRY(check_size(given != nullptr ? given->struct_size : 0, shape));
  RZ_TRY(copy_struct(given, given->struct_size, shape, &known, sizeof known));
  if ((known.flags & ~shape.flags) == 0) return {};
  return {Code::kUnsupported, std::string(shape.name) + ".flags: expected flags of this library (" +
                                  std::to_string(shape.flags) + "), found " +
                                  std::to_string(known.flags)};
}
// The same; all zero where none is given.
template <typename Struct>
Status take_optional(const Struct* given, Struct& known) {
  if (given != nullptr) return take_struct(given, known);
  known = {};
  return {};
}
// kInvalid for an array that is not there, or whose elements are too small.
Status check_array(const void* first, std::uint64_t count, std::uint64_t stride,
                   const Shape& shape);
// An element of an array. REQUIRES: check_array is ok.
template <typename Struct>
Status take_element(const Struct* first, std::uint64_t stride, std::uint64_t index, Struct& known) {
  return copy_struct(RZ_AT(Struct, first, stride, index), stride, kShape<Struct>, &known,
                     sizeof known);
}

}  // namespace rhizome::client_core
