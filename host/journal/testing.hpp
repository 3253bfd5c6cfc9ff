// For tests and benches alone: store plugins loaded as the host does, directories that go away,
// keys from numbers and deltas made in one line. Any thread.
#pragma once

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome::testing {

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().to_string());
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

// The store table of build/lib/rhizome/plugins/NAME.so. The library stays loaded.
inline const rz_store* store_table(const std::string& name) {
  const char* build = std::getenv("RHIZOME_BUILD_DIR");
  if (build == nullptr) throw std::runtime_error("RHIZOME_BUILD_DIR is not set: run by ctest");
  const std::string path = std::string(build) + "/lib/rhizome/plugins/" + name + ".so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  static const rz_host kNoServices = {nullptr,
                                      [](void*, const char*) -> const void* { return {}; }};
  rz_error error{};
  if (plugin == nullptr || plugin->init(&kNoServices, &error) != RZ_OK)
    throw std::runtime_error(path + ": " + error.message);
  return static_cast<const rz_store*>(plugin->get_interface(RZ_STORE_ID));
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "rhizome-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = path;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline SigningKey key_of(std::uint8_t number) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = number;
  return SigningKey::from_seed(seed);
}

// One delta as bytes.
struct Made {
  std::string claims;
  DeltaId id;
  Signature signature{};

  ByteView signature_bytes() const { return view(signature.data(), signature.size()); }
};

inline Made make_delta(const SigningKey& author, double timestamp,
                       const std::vector<Pointer>& pointers) {
  Made made;
  must(encode_claims(author.author(), timestamp, pointers, made.claims));
  made.id = DeltaId::of_claims(made.claims);
  made.signature = author.sign(made.id.raw());
  return made;
}

// A delta that says one thing of one entity.
inline Made say(const SigningKey& author, const std::string& entity, const std::string& context,
                const Target& value, double timestamp = 1000) {
  return make_delta(author, timestamp, {{"about", EntityRef{entity, context}}, {"value", value}});
}

// The delta in a batch, as admission would hand it to the journal.
inline void add_to(DeltaBatch& batch, const Made& made,
                   std::uint32_t state = RZ_SIGNATURE_VERIFIED) {
  const ByteView signature = state == RZ_SIGNATURE_VERIFIED ? made.signature_bytes() : ByteView();
  if (decode_claims(made.claims, signature, batch) != DecodeError::kNone)
    throw std::runtime_error("not a delta");
  batch.mutable_block(batch.size() - 1)->signature_state = static_cast<std::uint8_t>(state);
}

inline std::vector<DeltaView> views_of(const DeltaBatch& batch) {
  std::vector<DeltaView> views;
  for (std::size_t i = 0; i < batch.size(); ++i) views.push_back(batch[i]);
  return views;
}

}  // namespace rhizome::testing
