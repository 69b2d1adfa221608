import attrs
import numpy as np
import pytest

from partgraph import Quadratic, Scaled, arrays


def test_detaching_copies_only_what_must_change():
    good = np.zeros((3, 2))
    assert arrays.detached(good) is good
    assert arrays.detached(np.zeros(3, np.float32)).dtype == np.float64
    assert arrays.detached(np.zeros((4, 3)).T).flags.c_contiguous


def test_mapping_keeps_what_does_not_change():
    term = Scaled(0.5, Quadratic([1.0, 2], [0.0, 0]))
    value = (term, "text", 3, np.arange(3))
    assert arrays.map_arrays(lambda leaf: leaf, value) is value
    doubled = arrays.map_arrays(lambda leaf: 2 * leaf, value)
    np.testing.assert_array_equal(doubled[0].base.weight, [2, 4])
    assert doubled[1:] == value[1:], "whole numbers are indices and stay"


def test_leaves_are_in_the_order_of_fields():
    weight, offset = arrays.leaves(Quadratic([1.0, 2], [3.0, 4]))
    assert (weight.tolist(), offset.tolist()) == ([1, 2], [3, 4])


def test_mapping_finds_fields_with_aliases():
    @attrs.frozen(eq=False)
    class Private:
        _values: np.ndarray

    changed = arrays.map_arrays(lambda leaf: leaf + 1, Private(np.zeros(2)))
    np.testing.assert_array_equal(changed._values, [1, 1])


@pytest.mark.parametrize("values", [[1.0, 2.0], [1e308, 1e308]])
def test_finite_numbers_are_finite_even_where_their_sum_is_not(values):
    assert arrays.is_finite(np.array(values))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_found(value):
    assert not arrays.is_finite(np.array([0.0, value, 1.0]))


class TestTensors:
    torch = None

    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = pytest.importorskip("torch")

    def test_detached_tensors_are_float64(self):
        tensor = self.torch.ones(3, requires_grad=True)
        result = arrays.detached(tensor)
        assert isinstance(result, np.ndarray)
        assert result.dtype == np.float64

    def test_namespace(self):
        assert arrays.namespace(np.zeros(2)) is np
        assert arrays.namespace(np.zeros(2), self.torch.zeros(2)) is self.torch
        assert arrays.is_tensor(self.torch.nn.Parameter(self.torch.zeros(1)))

    def test_like_takes_type_and_place(self):
        same = arrays.like(np.ones(2), self.torch.zeros(1, dtype=self.torch.float32))
        assert same.dtype == self.torch.float32
        assert isinstance(arrays.like(same, np.zeros(1)), np.ndarray)

    def test_gradient_of_sqrt_at_zero_is_zero(self):
        x = self.torch.tensor([0.0, 4.0], requires_grad=True)
        arrays.sqrt(x).sum().backward()
        assert x.grad.tolist() == [0.0, 0.25]

    @pytest.mark.parametrize("name", ["sqrt", "exp", "log"])
    def test_functions_of_one_argument(self, name):
        x = np.array([0.5, 2.0])
        ours = getattr(arrays, name)
        np.testing.assert_allclose(ours(self.torch.tensor(x)).numpy(), ours(x), rtol=1e-15)
        assert ours(2.0) == getattr(np, name)(2.0)

    @pytest.mark.parametrize("name", ["minimum", "maximum"])
    def test_functions_of_two_arguments(self, name):
        ours, x = getattr(arrays, name), np.array([-1.0, 3.0])
        expected = getattr(np, name)(x, 1.0)
        tensor = self.torch.tensor(x)
        for result in (
            ours(x, 1.0),
            ours(1.0, x),
            ours(tensor, 1.0),
            ours(1.0, tensor),
            ours(x, tensor * 0 + 1),
        ):
            np.testing.assert_array_equal(np.asarray(result), expected)
