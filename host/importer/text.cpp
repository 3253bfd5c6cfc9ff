// Buffered bytes of a file with line numbers. Used by the readers, on the thread that pulls.
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "importer/readers.hpp"

namespace rhizome::importer {

Result<Text> Text::open(const std::string& path) {
  Text text;
  text.path_ = path;
  text.file_.reset(path == "-" ? fdopen(0, "rb") : std::fopen(path.c_str(), "rb"));
  if (text.file_ == nullptr) {
    const Code code = errno == ENOENT ? Code::kNotFound : Code::kIo;
    return Status(code, "'" + path + "' cannot be opened: " + std::strerror(errno));
  }
  struct stat info {};
  if (fstat(fileno(text.file_.get()), &info) != 0 || S_ISDIR(info.st_mode)) {
    return Status(Code::kInvalid, "'" + path + "' is no file");
  }
  if (S_ISREG(info.st_mode)) {
    text.size_ = static_cast<std::uint64_t>(info.st_size);
    text.modified_ms_ = static_cast<double>(info.st_mtim.tv_sec) * 1000;
  }
  text.buffer_.resize(1u << 16);
  return text;
}

bool Text::fill() {
  if (error_ != 0) return false;
  next_ = 0;
  end_ = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  if (end_ == 0 && std::ferror(file_.get()) != 0) error_ = errno != 0 ? errno : EIO;
  return end_ != 0;
}

int Text::peek() {
  if (next_ == end_ && !fill()) return -1;
  return static_cast<unsigned char>(buffer_[next_]);
}

int Text::get() {
  const int byte = peek();
  if (byte < 0) return byte;
  ++next_;
  ++position_;
  if (byte == '\n') ++line_;
  return byte;
}

Status Text::status() const {
  if (error_ == 0) return {};
  return {Code::kIo, "reading '" + path_ + "': " + std::strerror(error_)};
}

bool read_line(Text& text, std::size_t limit, std::string& line, bool* cut) {
  line.clear();
  *cut = false;
  if (text.peek() < 0) return false;
  for (int byte = text.get(); byte >= 0 && byte != '\n'; byte = text.get()) {
    if (line.size() < limit) {
      line.push_back(static_cast<char>(byte));
    } else {
      *cut = true;
    }
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

}  // namespace rhizome::importer
