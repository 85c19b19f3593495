"""Films with their truth, made from a seed: people who walk, lean, come near, hide in dim light."""

from deploy.bench.measure.films.film import Made, films, write

__all__ = ["Made", "films", "write"]
