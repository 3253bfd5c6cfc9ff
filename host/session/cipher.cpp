// ChaCha20-Poly1305 (RFC 8439) over frames.
#include "session/cipher.hpp"

#include <sodium.h>

#include <cstring>

namespace rhizome::session {

namespace {

constexpr std::size_t kClear = 10;  // kind, row, counter
constexpr std::size_t kInner = 14;  // pattern, lane, number, timeout_ms
constexpr std::size_t kTag = crypto_aead_chacha20poly1305_ietf_ABYTES;
static_assert(kClear + kInner + kTag == kSealOverhead);

void put_be(std::uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

std::uint64_t read_be(ByteView bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Never used twice under one key: each direction has its own, and counts each row.
std::array<unsigned char, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> nonce_of(ByteView clear) {
  std::array<unsigned char, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> nonce{};
  nonce[0] = static_cast<unsigned char>(clear[1]);
  std::memcpy(nonce.data() + 4, clear.data() + 2, 8);
  return nonce;
}

}  // namespace

Sealer::~Sealer() { sodium_memzero(key_.data(), key_.size()); }
Opener::~Opener() { sodium_memzero(key_.data(), key_.size()); }

std::string Sealer::seal(const wire::Frame& frame, Pattern pattern, std::uint64_t number,
                         std::uint32_t row) {
  std::string out;
  out.reserve(kSealOverhead + frame.body.size());
  out.push_back(static_cast<char>(frame.kind));
  out.push_back(static_cast<char>(row));
  put_be(next_[row]++, 8, out);
  out.push_back(static_cast<char>(pattern));
  out.push_back(static_cast<char>(frame.lane));
  put_be(number, 8, out);
  put_be(frame.timeout_ms, 4, out);
  out.append(frame.body);
  const std::size_t plain = out.size() - kClear;
  out.resize(out.size() + kTag);
  auto* const text = reinterpret_cast<unsigned char*>(out.data()) + kClear;
  const auto nonce = nonce_of(out);
  crypto_aead_chacha20poly1305_ietf_encrypt(text, nullptr, text, plain, raw(out), kClear, nullptr,
                                            nonce.data(), key_.data());
  return out;
}

Result<Opened> Opener::open(ByteView bytes) {
  const Status refused(
      Code::kCorrupt,
      "frame: not of this session, changed on its way, came before, or came too late");
  if (bytes.size() < kSealOverhead) return refused;
  const auto row = static_cast<std::uint8_t>(bytes[1]);
  const std::uint64_t counter = read_be(bytes.substr(2, 8));
  if (row >= seen_.size()) return refused;
  ReplayWindow<kRowWindow>& seen = seen_[row];
  if (!seen.is_fresh(counter)) return refused;
  Opened opened;
  opened.body.resize(bytes.size() - kClear - kTag);
  const auto nonce = nonce_of(bytes);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(opened.body.data()), nullptr, nullptr,
          raw(bytes) + kClear, bytes.size() - kClear, raw(bytes), kClear, nonce.data(),
          key_.data()) != 0)
    return refused;
  const ByteView inner = opened.body;
  const auto pattern = static_cast<std::uint8_t>(inner[0]);
  const auto lane = static_cast<std::uint8_t>(inner[1]);
  if (pattern < 1 || pattern > 3 || lane > static_cast<std::uint8_t>(wire::Lane::kStranger))
    return refused;
  seen.note(counter);
  opened.pattern = static_cast<Pattern>(pattern);
  opened.number = read_be(inner.substr(2, 8));
  opened.frame.kind = static_cast<wire::Kind>(bytes[0]);
  opened.frame.lane = static_cast<wire::Lane>(lane);
  opened.frame.timeout_ms = static_cast<std::uint32_t>(read_be(inner.substr(10, 4)));
  opened.body.erase(0, kInner);
  return opened;
}

}  // namespace rhizome::session
