// Loading the subject, and stores in fresh directories.
#include "harness.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace rhizome::conformance {

namespace {
const rz_host kHost = {nullptr, [](void*, const char*) -> const void* { return nullptr; }};
}  // namespace

Subject& subject() {
  static Subject instance;
  return instance;
}

std::string load_plugin(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return path + ": does not export " RZ_PLUGIN_SYMBOL;
  if (plugin->abi_major != RZ_ABI_MAJOR) return path + ": another ABI major";
  rz_error error{};
  if (plugin->init(&kHost, &error) != RZ_OK) return path + ": init: " + error.message;
  if (plugin->get_interface("rhizome.no.such/1") != nullptr)
    return path + ": answers an interface that does not exist";
  subject().table = static_cast<const rz_store*>(plugin->get_interface(RZ_STORE_ID));
  return subject().table == nullptr ? path + ": has no " RZ_STORE_ID : "";
}

StoreTest::StoreTest() {
  std::string name = (std::filesystem::temp_directory_path() / "rhizome-store-XXXXXX").string();
  directory_ = ::mkdtemp(name.data());
  RecordProperty("seed", std::to_string(seed_));
}

StoreTest::~StoreTest() {
  if (HasFailure()) std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed_));
  std::filesystem::remove_all(directory_);
}

use::Store StoreTest::open() {
  Result<use::Store> store = try_open();
  if (!store.ok()) {
    ADD_FAILURE() << store.status().to_string();
    std::abort();  // nothing of this check can go on
  }
  return std::move(*store);
}

std::vector<std::pair<std::string, std::string>> StoreTest::all(const use::Store& store,
                                                                ByteView lower, ByteView upper,
                                                                bool reverse) {
  std::vector<std::pair<std::string, std::string>> entries;
  auto cursor = store.cursor(lower, upper, reverse);
  EXPECT_TRUE(cursor.ok()) << cursor.status().to_string();
  if (!cursor.ok()) return entries;
  while (const rz_store_entry* entry = cursor->next())
    entries.emplace_back(view(entry->key), view(entry->value));
  EXPECT_TRUE(cursor->status().ok()) << cursor->status().to_string();
  return entries;
}

void StoreTest::put(use::Store& store, ByteView key, ByteView value, use::Durability durability) {
  use::StoreBatch batch;
  batch.put(key, value);
  const Status written = store.write(batch, durability);
  EXPECT_TRUE(written.ok()) << written.to_string();
}

}  // namespace rhizome::conformance
