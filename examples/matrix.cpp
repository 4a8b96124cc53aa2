// A matrix whose size is part of its type: shapes that do not fit do not compile.

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <iostream>
#include <stdexcept>

template <typename T, std::size_t Rows, std::size_t Columns>
class Matrix {
public:
    Matrix() = default;

    Matrix(std::initializer_list<T> values)
    {
        if (values.size() != cells_.size())
            throw std::invalid_argument("a matrix needs a value for every cell");
        std::copy(values.begin(), values.end(), cells_.begin());
    }

    T &operator()(std::size_t row, std::size_t column) { return cells_[row * Columns + column]; }
    const T &operator()(std::size_t row, std::size_t column) const { return cells_[row * Columns + column]; }

    template <std::size_t Inner>
    Matrix<T, Rows, Inner> operator*(const Matrix<T, Columns, Inner> &right) const
    {
        Matrix<T, Rows, Inner> product;
        for (std::size_t i = 0; i < Rows; ++i)
            for (std::size_t k = 0; k < Columns; ++k)
                for (std::size_t j = 0; j < Inner; ++j)
                    product(i, j) += (*this)(i, k) * right(k, j);
        return product;
    }

    static Matrix identity()
        requires(Rows == Columns)
    {
        Matrix result;
        for (std::size_t i = 0; i < Rows; ++i)
            result(i, i) = T{1};
        return result;
    }

private:
    std::array<T, Rows * Columns> cells_{};
};

int main()
{
    Matrix<long, 2, 2> step{1, 1, 1, 0};
    auto power = Matrix<long, 2, 2>::identity();
    for (int n = 1; n <= 10; ++n) {
        power = power * step;
        std::cout << "F(" << n << ") = " << power(0, 1) << '\n';
    }
}
