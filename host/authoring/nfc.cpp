// utf8proc behind one function.
#include "authoring/nfc.hpp"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

namespace rhizome::authoring {

namespace {

bool is_ascii(ByteView text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

// Replaces the text by its composed form, which `kept` owns; ASCII is composed already.
Status compose(ByteView& text, std::deque<std::string>& kept) {
  if (is_ascii(text)) return {};
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(as_u8(text), static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(out, &std::free);
  if (size < 0)
    return {Code::kInvalid,
            std::string("text cannot be normalised to NFC: ") + utf8proc_errmsg(size)};
  text = kept.emplace_back(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  return {};
}

}  // namespace

Status to_nfc(std::vector<Pointer>& pointers, std::deque<std::string>& kept) {
  for (Pointer& pointer : pointers) {
    RZ_TRY(compose(pointer.role, kept));
    if (auto* text = std::get_if<ByteView>(&pointer.target)) RZ_TRY(compose(*text, kept));
    if (auto* delta = std::get_if<DeltaRef>(&pointer.target)) RZ_TRY(compose(delta->context, kept));
    if (auto* entity = std::get_if<EntityRef>(&pointer.target)) {
      RZ_TRY(compose(entity->id, kept));
      RZ_TRY(compose(entity->context, kept));
    }
  }
  return {};
}

}  // namespace rhizome::authoring
