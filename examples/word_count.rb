# frozen_string_literal: true

# Counts words in files: `ruby word_count.rb README.md`.
class WordCount
  include Enumerable

  WORD = /[[:alpha:]][[:alpha:]'’-]*/
  COMMON = %w[a an and in is it of on or that the to with].freeze

  def initialize(skip: COMMON)
    @skip = skip.to_h { |word| [word, true] }
    @counts = Hash.new(0)
  end

  def <<(line)
    line.downcase.scan(WORD) do |word|
      @counts[word] += 1 unless @skip.key?(word)
    end
    self
  end

  # Words with their counts, the most frequent first, then by alphabet.
  def each(&block)
    return enum_for(:each) unless block

    @counts.sort_by { |word, count| [-count, word] }.each(&block)
  end

  def total
    @counts.values.sum
  end
end

if $PROGRAM_NAME == __FILE__
  count = ARGF.each_line.with_object(WordCount.new) { |line, words| words << line }
  width = count.first(10).map { |word, _| word.length }.max || 0
  count.first(10).each do |word, n|
    share = 100.0 * n / count.total
    puts format("%-#{width}s %6d  %4.1f %%", word, n, share)
  end
end
