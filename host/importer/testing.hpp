// What the importer's tests share: a temporary file and an import of it, run to its end.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "importer/importer.hpp"

namespace rhizome::importer {

// A file that lives as long as the test's scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content, const std::string& suffix = ".json") {
    path_ = ::testing::TempDir() + "rhizome-import-XXXXXX" + suffix;
    const int file = mkstemps(path_.data(), static_cast<int>(suffix.size()));
    EXPECT_GE(file, 0);
    EXPECT_EQ(write(file, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    close(file);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Imported {
  std::vector<ImportItem> items;
  std::vector<BadRecord> bad;
  Progress progress;
  Status status;
};

inline void pull_all(Result<std::unique_ptr<RecordSource>> source, Imported& out) {
  if (!source) {
    out.status = source.status();
    return;
  }
  for (ImportItem item;;) {
    Result<bool> more = (*source)->next(item);
    if (!more) out.status = more.status();
    if (!more || !*more) break;
    out.items.push_back(item);
  }
  out.progress = (*source)->progress();
}

// Imports a file through a map given as YAML.
inline Imported import_file(const std::string& path, const std::string& yaml) {
  Imported out;
  Result<Mapping> map = Mapping::parse(yaml, "map.yaml");
  if (!map) {
    out.status = map.status();
    return out;
  }
  Options options;
  options.now_ms = 1000;
  options.bad = [&out](const BadRecord& bad) { out.bad.push_back(bad); };
  pull_all(open_mapped(path, std::move(*map), options), out);
  return out;
}

inline Imported import_text(const std::string& content, const std::string& yaml,
                            const std::string& suffix = ".json") {
  const TemporaryFile file(content, suffix);
  return import_file(file.path(), yaml);
}

}  // namespace rhizome::importer
