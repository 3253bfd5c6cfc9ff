// Built without RTTI, like Debian's libleveldb, whose classes have no type information to derive
// from.
#include "sync_env.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rhizome::leveldb_store {

leveldb::Status sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return leveldb::Status::IOError(directory, std::strerror(errno));
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  return result == 0 ? leveldb::Status::OK()
                     : leveldb::Status::IOError(directory, std::strerror(error));
}

leveldb::Status SyncEnv::then_sync(leveldb::Status made, const std::string& name,
                                   leveldb::WritableFile** file) {
  if (!made.ok()) return made;
  leveldb::Status synced = sync_(name);
  if (!synced.ok()) {
    delete *file;
    *file = nullptr;
  }
  return synced;
}

leveldb::Status SyncEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  return then_sync(target()->NewWritableFile(name, file), name, file);
}

leveldb::Status SyncEnv::NewAppendableFile(const std::string& name, leveldb::WritableFile** file) {
  return then_sync(target()->NewAppendableFile(name, file), name, file);
}

leveldb::Status SyncEnv::RenameFile(const std::string& from, const std::string& to) {
  leveldb::Status renamed = target()->RenameFile(from, to);
  // A failed sync is not the rename's failure: the name is changed, and LevelDB, told otherwise,
  // would remove the manifest that CURRENT now points at. Until some later sync of this directory
  // succeeds both the old name and the files it needs come back after a power loss, so nothing is
  // lost.
  if (renamed.ok()) (void)sync_(to);
  return renamed;
}

}  // namespace rhizome::leveldb_store
