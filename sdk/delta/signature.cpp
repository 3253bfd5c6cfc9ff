// Ed25519 over libsodium. Its verifier (1.0.18) refuses a non-canonical S, a non-canonical or
// small-order A and a small-order R, compares R's canonical encoding and multiplies by no cofactor:
// the five checks of SPEC-1 section 5.1. signature_test.cpp holds it to that, clause by clause.
#include "rhizome/delta/signature.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>

namespace rhizome {

namespace {

// libsodium must be ready before any of its functions; static order is settled by the call.
void ready() {
  static const int result = sodium_init();
  if (result < 0) std::abort();  // no entropy source: nothing could be signed safely
}

constexpr std::string_view kAuthorPrefix = "ed25519:";

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Status io_error(const std::string& path, const char* doing) {
  return {errno == ENOENT   ? Code::kNotFound
          : errno == EEXIST ? Code::kBusy
                            : Code::kIo,
          "key file " + path + ": " + doing + ": " + std::strerror(errno) +
              (errno == ENOENT ? "; `rhizome keygen " + path + "` makes one" : "")};
}

}  // namespace

void SigningKey::Wipe::operator()(std::uint8_t* p) const { sodium_free(p); }

SigningKey SigningKey::from_seed(const std::array<std::uint8_t, 32>& seed) {
  ready();
  SigningKey key;
  key.secret_.reset(static_cast<std::uint8_t*>(sodium_malloc(crypto_sign_SECRETKEYBYTES)));
  if (key.secret_ == nullptr) throw std::bad_alloc();
  crypto_sign_seed_keypair(key.public_.data(), key.secret_.get(), seed.data());
  key.author_ = std::string(kAuthorPrefix) + to_hex(view(key.public_.data(), key.public_.size()));
  sodium_mprotect_readonly(key.secret_.get());
  return key;
}

SigningKey SigningKey::generate() {
  ready();
  std::array<std::uint8_t, 32> seed;
  randombytes_buf(seed.data(), seed.size());
  SigningKey key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

Result<SigningKey> SigningKey::load(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return io_error(path, "open");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return io_error(path, "stat");
  if (!S_ISREG(info.st_mode))  // a pipe would block, a directory has no bytes
    return Status(Code::kInvalid, "key file " + path + ": not a regular file");
  if ((info.st_mode & 077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777));
    return Status(
        Code::kDenied,
        "key file " + path + ": mode " + mode +
            "; expected 0600: chmod 600 it, and make a new key if others may have read it");
  }
  char text[66];
  const ssize_t size = ::read(file.get(), text, sizeof text);
  if (size < 0) return io_error(path, "read");
  const std::size_t digits = size == 65 && text[64] == '\n' ? 64 : static_cast<std::size_t>(size);
  std::string raw;
  const bool good = digits == 64 && from_hex({text, digits}, &raw);
  sodium_memzero(text, sizeof text);
  if (!good)
    return Status(Code::kInvalid,
                  "key file " + path + ": expected 64 lower-case hex digits and a newline");
  std::array<std::uint8_t, 32> seed;
  std::memcpy(seed.data(), raw.data(), seed.size());
  SigningKey key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  sodium_memzero(raw.data(), raw.size());
  return key;
}

Status SigningKey::save(const std::string& path) const {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return io_error(path, "create");
  std::array<std::uint8_t, 32> seed;
  crypto_sign_ed25519_sk_to_seed(seed.data(), secret_.get());
  char text[66];  // on the stack, so that it can be wiped: 64 digits, a newline, sodium's NUL
  sodium_bin2hex(text, 65, seed.data(), seed.size());
  text[64] = '\n';
  sodium_memzero(seed.data(), seed.size());
  const bool good = ::write(file.get(), text, 65) == 65 && ::fsync(file.get()) == 0;
  sodium_memzero(text, sizeof text);
  if (good) return {};
  Status failed = io_error(path, "write");
  ::unlink(path.c_str());  // half a seed is no seed
  return failed;
}

Signature SigningKey::sign(ByteView message) const {
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, as_u8(message), message.size(), secret_.get());
  return signature;
}

void SigningKey::derive_link_keys(std::uint8_t public_key[32], std::uint8_t secret_key[32]) const {
  crypto_sign_ed25519_sk_to_curve25519(secret_key, secret_.get());
  crypto_scalarmult_base(public_key, secret_key);
}

bool verify_strict(const PublicKey& key, ByteView message, ByteView signature64) {
  ready();
  return signature64.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(as_u8(signature64), as_u8(message), message.size(),
                                     key.data()) == 0;
}

std::optional<PublicKey> author_key(ByteView author) {
  std::string raw;
  if (author.size() != kAuthorPrefix.size() + 64 ||
      author.substr(0, kAuthorPrefix.size()) != kAuthorPrefix ||
      !from_hex(author.substr(kAuthorPrefix.size()), &raw))
    return std::nullopt;
  PublicKey key;
  std::memcpy(key.data(), raw.data(), key.size());
  return key;
}

bool link_key_of(const PublicKey& key, std::uint8_t link_key[32]) {
  ready();
  return crypto_sign_ed25519_pk_to_curve25519(link_key, key.data()) == 0;
}

std::uint32_t check_signature(DeltaView delta) {
  static constexpr Signature kNone{};
  // No signature is 64 zeros in the flat delta. One that came as zeros is a wrong signature: its R
  // is of small order.
  if (delta.signature() == view(kNone.data(), kNone.size()))
    return delta.signature_state() == RZ_SIGNATURE_UNCHECKED ? RZ_SIGNATURE_INVALID
                                                             : RZ_SIGNATURE_UNSIGNED;
  const std::optional<PublicKey> key = author_key(delta.author());
  return key && verify_strict(*key, delta.id(), delta.signature()) ? RZ_SIGNATURE_VERIFIED
                                                                   : RZ_SIGNATURE_INVALID;
}

}  // namespace rhizome
