"""CarRacing-v3 of gymnasium, drawn faster to exactly the same pixels.

The stock environment spends nearly all of a frame in Python: it transforms some 730 polygons, of
which it draws some thirty, makes a font and two surfaces of 1000 x 800. Here the same polygons are
drawn by the same calls in the same order, but

- a frame that nobody looks at is not drawn at all,
- the polygons that touch the screen are found with numpy, with a margin; the survivors go through
  the stock arithmetic, so that no rounding differs,
- where the meadow covers the whole screen, it is filled instead of drawn as a polygon,
- what the black instrument panel covers is not drawn,
- surfaces, font and the text of the return are kept.

Physics and rewards are the stock code, unchanged, up to the two constants of a shifted car.
"""

import functools
import math
import os
import types
import warnings

import numpy as np

# Before the first import of pygame: its greeting does not belong on our standard output.
os.environ.setdefault('PYGAME_HIDE_SUPPORT_PROMPT', '1')

import pygame
from pygame import gfxdraw

with warnings.catch_warnings():
    # Box2D's wrapper makes types without a module. Python warns of each, and where warnings are
    # errors the import of Box2D would crash the interpreter.
    warnings.simplefilter('ignore', DeprecationWarning)
    from gymnasium.envs.box2d import car_dynamics, car_racing

#: top of the instrument panel, rows from the top of the upright picture
PANEL_TOP = car_racing.WINDOW_H - 5 * car_racing.WINDOW_H // 40
#: pixels around the screen within which a polygon still counts as visible (anti-aliased edges)
MARGIN = 2.0


def _meadow() -> list[list[pygame.math.Vector2]]:
    """The grass patches, in the order in which the stock environment draws them."""
    side = car_racing.GRASS_DIM
    corners = ((side, 0), (0, 0), (0, side), (side, side))
    return [
        [pygame.math.Vector2(side * x + dx, side * y + dy) for dx, dy in corners]
        for x in range(-20, 20, 2)
        for y in range(-20, 20, 2)
    ]


@functools.cache
def _font() -> pygame.font.Font:
    pygame.font.init()
    return pygame.font.Font(pygame.font.get_default_font(), 42)


@functools.lru_cache(maxsize=512)
def _return_text(text: str) -> pygame.Surface:
    return _font().render(text, True, (255, 255, 255), (0, 0, 0))


class FastCarRacing(car_racing.CarRacing):
    """`CarRacing` with a fast `state_pixels` picture and, per instance, engine and friction.

    Parameters
    ----------
    lap_complete_percent : share of the tiles after which a lap is complete, in (0, 1]
    engine_power, friction : factors on the constants of the stock car
    """

    def __init__(
        self,
        lap_complete_percent: float = 0.95,
        engine_power: float = 1.0,
        friction: float = 1.0,
    ) -> None:
        super().__init__(lap_complete_percent=lap_complete_percent, continuous=True)
        self._closed = False
        self.surf: pygame.Surface  # where the stock code draws
        #: whether the next frame is drawn; `step` returns None as the picture where it is not
        self.visible = True
        self._car_step = _car_step(engine_power, friction)
        size = (car_racing.WINDOW_W, car_racing.WINDOW_H)
        self._canvas = pygame.Surface(size)
        self._upright = pygame.Surface(size)
        self._scaled = pygame.Surface((car_racing.STATE_W, car_racing.STATE_H))
        self._grass = _meadow()
        self._polygons: list[list[pygame.math.Vector2]] = []
        self._colors: list = []
        self._centres, self._radii = np.zeros((2, 0)), np.zeros(0)

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict]:
        """As in gymnasium; the frame that `reset` steps is drawn."""
        self._polygons = []
        visible, self.visible = self.visible, True
        picture, info = super().reset(seed=seed, options=options)
        self.visible = visible
        # At rest and without gas the first frame is the same for every engine and friction.
        if self._car_step is not None:
            self.car.step = types.MethodType(self._car_step, self.car)
        return picture, info

    def close(self) -> None:
        """Take the bodies out of the physics engine and let go of surfaces and listeners.

        Bodies and listeners point back to the environment through the engine, where the garbage
        collector cannot see the cycle.
        """
        super().close()
        if self._closed:
            return
        self._closed = True
        self._destroy()
        self.road = None
        self.world.contactListener = None
        self.world.contactListener_bug_workaround = self.contactListener_keepref = None
        del self.surf, self._canvas, self._upright, self._scaled

    def _render(self, mode: str) -> np.ndarray | None:
        if mode != 'state_pixels':
            return super()._render(mode)
        return self.picture() if self.visible else None

    def picture(self) -> np.ndarray:
        """The stock `state_pixels` picture, (96, 96, 3) uint8."""
        width, height = car_racing.WINDOW_W, car_racing.WINDOW_H
        angle = -self.car.hull.angle
        grown = min(self.t, 1)
        zoom = (
            0.1 * car_racing.SCALE * max(1 - self.t, 0) + car_racing.ZOOM * car_racing.SCALE * grown
        )
        x, y = self.car.hull.position
        scroll = pygame.math.Vector2((-x * zoom, -y * zoom)).rotate_rad(angle)
        offset = (width / 2 + scroll[0], height / 4 + scroll[1])
        self.surf = self._canvas
        self._render_road(zoom, offset, angle)
        self.car.draw(self.surf, zoom, offset, angle, False)

        rows = pygame.surfarray.pixels2d(self._upright).T
        rows[:PANEL_TOP] = pygame.surfarray.pixels2d(self._canvas).T[: height - PANEL_TOP - 1 : -1]
        del rows  # an array of pixels locks its surface
        self.surf = self._upright
        self._render_indicators(width, height)
        text = _return_text(f'{self.reward:04.0f}')
        self._upright.blit(text, text.get_rect(center=(60, height - height * 2.5 / 40.0)))

        pygame.transform.smoothscale(self._upright, self._scaled.get_size(), self._scaled)
        pixels = pygame.surfarray.pixels3d(self._scaled)
        return np.ascontiguousarray(pixels.transpose(1, 0, 2))

    def _render_road(self, zoom: float, translation: tuple[float, float], angle: float) -> None:
        if not self._polygons:
            self._collect_polygons()
        self._fill_background(zoom, translation, angle)
        # The canvas is upside down: its first rows end up under the instrument panel. (To clip
        # the canvas there would be faster, but a clipped line is anti-aliased differently.)
        panel = car_racing.WINDOW_H - PANEL_TOP
        cosine, sine = math.cos(angle) * zoom, math.sin(angle) * zoom
        x, y = self._centres
        column = cosine * x - sine * y + translation[0]
        row = sine * x + cosine * y + translation[1]
        reach = self._radii * zoom + MARGIN
        visible = (column > -reach) & (column < car_racing.WINDOW_W + reach)
        visible &= (row > panel - reach) & (row < car_racing.WINDOW_H + reach)
        for index in np.flatnonzero(visible).tolist():
            # The exact coordinates, by the stock arithmetic. Colours change as tiles are visited.
            color = [int(c) for c in self._colors[index]]
            turned = [corner.rotate_rad(angle) for corner in self._polygons[index]]
            polygon = [(c[0] * zoom + translation[0], c[1] * zoom + translation[1]) for c in turned]
            gfxdraw.aapolygon(self._canvas, polygon, color)
            gfxdraw.filled_polygon(self._canvas, polygon, color)

    def _collect_polygons(self) -> None:
        road = [
            [pygame.math.Vector2(corner) for corner in polygon] for polygon, _ in self.road_poly
        ]
        self._polygons = self._grass + road
        self._colors = [self.grass_color] * len(self._grass) + [c for _, c in self.road_poly]
        corners = np.array([[tuple(c) for c in polygon] for polygon in self._polygons])
        centres = corners.mean(axis=1)
        self._centres = np.ascontiguousarray(centres.T)
        self._radii = np.hypot(*(corners - centres[:, None]).T).max(axis=0)

    def _fill_background(self, zoom: float, translation: tuple[float, float], angle: float) -> None:
        bounds = car_racing.PLAYFIELD
        cosine, sine = math.cos(angle) / zoom, math.sin(angle) / zoom
        covered = True
        for column in (0, car_racing.WINDOW_W):
            for row in (0, car_racing.WINDOW_H):
                right, down = column - translation[0], row - translation[1]
                x, y = cosine * right + sine * down, cosine * down - sine * right
                covered = covered and max(abs(x), abs(y)) < bounds - 1.0
        if covered:
            shown = (0, car_racing.WINDOW_H - PANEL_TOP, car_racing.WINDOW_W, PANEL_TOP)
            self._canvas.fill([int(c) for c in self.bg_color], shown)
            return
        self._canvas.fill(0)
        field = [(bounds, bounds), (bounds, -bounds), (-bounds, -bounds), (-bounds, bounds)]
        self._draw_colored_polygon(
            self._canvas, field, self.bg_color, zoom, translation, angle, clip=False
        )


def _car_step(engine_power: float, friction: float) -> types.FunctionType | None:
    """The stock `Car.step` with its own engine and friction constants; None: the stock car.

    The stock constants are globals of the module that all cars of a process read. The same code
    with its own table of globals leaves them alone, and scales friction on road and grass alike.
    """
    if engine_power == 1.0 and friction == 1.0:
        return None
    own = dict(vars(car_dynamics))
    own['ENGINE_POWER'] = car_dynamics.ENGINE_POWER * engine_power
    own['FRICTION_LIMIT'] = car_dynamics.FRICTION_LIMIT * friction
    stock = car_dynamics.Car.step
    return types.FunctionType(stock.__code__, own, stock.__name__, stock.__defaults__)
