# rtrrl_ros: every target sets up what it needs first. `make help` lists them.

TASK ?= line
PYTHON ?=
TORCH ?=
export PYTHON TORCH

# A sourced ROS installation or another environment would mix with the one in .venv.
CLEAN := env -u PYTHONPATH -u PYTHONHOME -u PYTHONDONTWRITEBYTECODE -u LD_LIBRARY_PATH \
    -u _ROS_WHEELS_BOOTSTRAP_COMPLETE AMENT_PREFIX_PATH="$(CURDIR)/.venv" \
    PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: help venv run test test-slow lint format bench colcon lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile
	@echo 'Options: PYTHON=python3.12, TORCH=cuda (venv), TASK=car-racing (run), UPGRADE=1 (lock)'

venv: ## set up .venv: packages, torch, message types, rtrrl_ros itself
	@tools/set_up_venv.sh

run: venv ## set up, then run the main job
	@$(CLEAN) rtrrl run $(TASK)

test: venv ## set up, then run the tests that take seconds
	@# what is compiled at first use is compiled once, by one process: all others then run the same
	@$(CLEAN) rtrrl finetune line --model models/line-lrcssm --laps 1 > /dev/null
	@$(CLEAN) pytest -m 'not slow'

test-slow: venv ## the tests that take minutes
	@$(CLEAN) pytest -m slow

lint: venv ## style and types
	@$(CLEAN) ruff check .
	@$(CLEAN) ruff format --check .
	@$(CLEAN) mypy

format: venv ## bring the code into style
	@$(CLEAN) ruff check --fix .
	@$(CLEAN) ruff format .

bench: venv ## measure the time of a learning step beside the time of its memory traffic
	@$(CLEAN) OMP_NUM_THREADS=1 rtrrl bench

colcon: ## build as a ROS workspace: with the sourced ROS 2, else in .venv
	@tools/colcon.sh

lock: venv ## choose the versions in the lock files anew
	@tools/lock.sh

clean: ## remove everything that the other targets made
	rm -rf .venv .venv-old .colcon build install log
