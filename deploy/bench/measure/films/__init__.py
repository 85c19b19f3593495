"""Films with their truth, made from a seed: people who walk, lean, come near, hide in dim light."""

from deploy.bench.measure.films.film import FilmPlan, films, write

__all__ = ["FilmPlan", "films", "write"]
