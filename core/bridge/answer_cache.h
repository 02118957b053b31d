// SPDX-License-Identifier: Apache-2.0
// Answers by question, in bounded memory. Eight places a bucket: no name an attacker picks makes a
// lookup longer, it only pushes out one of the eight.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/bridge/answer.h"
#include "core/bridge/question_key.h"

namespace dotkey::bridge {

struct AnswerCacheSettings {
  std::uint32_t entries_max = 65'536;  // rounded up to a power of two
  std::uint64_t bytes_max = 64ULL << 20;
};

class AnswerCache {
 public:
  explicit AnswerCache(AnswerCacheSettings const& settings);

  // Fresh or not; see Answer::expires. Good until the cache changes.
  Answer const* find(QuestionKey const& key);
  void put(QuestionKey const& key, Answer answer);
  void clear();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

 private:
  struct Entry {
    Bytes key;
    Answer answer;
  };
  static constexpr std::size_t ways = 8;
  struct Bucket {
    std::array<std::uint32_t, ways> tags{};
    std::array<bool, ways> used_lately{};
    std::array<std::unique_ptr<Entry>, ways> entries;
    std::uint8_t hand = 0;
  };

  [[nodiscard]] Bucket& bucket_of(QuestionKey const& key);
  [[nodiscard]] static std::uint32_t tag_of(QuestionKey const& key);
  [[nodiscard]] static std::size_t way_of(Bucket const& bucket, QuestionKey const& key);
  [[nodiscard]] static std::uint64_t cost_of(Entry const& entry);
  std::size_t make_way(Bucket& bucket);
  void remove(Bucket& bucket, std::size_t way);
  void shrink();

  AnswerCacheSettings settings_;
  std::vector<Bucket> buckets_;
  std::size_t sweep_ = 0;  // the bucket that gives way next when memory is short
  std::size_t size_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace dotkey::bridge
